/* command.c - the table of commands. */
#include "ctl_priv.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct ctl_option user_options[] = {
	{ "name", "TEXT", "name, as others see it", CTL_TEXT, "name", false },
	{ "pin", "PIN|-", "PIN; - asks for it (arguments are visible to others)", CTL_SECRET, "pin",
	  false },
	{ "no-pin", NULL, "no PIN: no login by code", CTL_NULL, "pin", false },
	{ "language", "TAG", "language of prompts, such as de", CTL_TEXT, "language", false },
	{ "logout", "RULE", "logged out by itself: 'at 20:00, after 10h', never; '' as configured",
	  CTL_TEXT, "logout", false },
	{ "group", "NAME", "of the company, for what is configured by group; '' none", CTL_TEXT,
	  "group", false },
	{ "call-list", "central|local|off", "which calls are found on a phone; '' as the group's",
	  CTL_TEXT, "call_list", false },
	{ "class", "NAME", "class of service: who may be called; '' as configured", CTL_TEXT,
	  "class", false },
	{ "roaming", "yes|no", "may log in at free phones (yes)", CTL_YES_NO, "roaming", false },
	{ "disabled", "yes|no", "may not log in at all (no)", CTL_YES_NO, "disabled", false },
	{ "hoteling", "yes|no", "keep the next PIN, sealed, for phones with Guest In (no)",
	  CTL_YES_NO, "hoteling", false },
	{ "dnd", "yes|no", "do not disturb", CTL_YES_NO, "dnd", false },
	{ "forward-always", "NUMBER", "where calls go; '' nowhere", CTL_TEXT, "forward_always",
	  false },
	{ "forward-busy", "NUMBER", "the same when busy", CTL_TEXT, "forward_busy", false },
	{ "forward-no-answer", "NUMBER", "the same after so many rings", CTL_TEXT,
	  "forward_no_answer", false },
	{ "forward-not-logged-in", "NUMBER", "the same while logged out; also voicemail", CTL_TEXT,
	  "forward_not_logged_in", false },
	{ "rings", "COUNT", "1 to 20 (3)", CTL_TEXT, "rings", false },
	{ "upstream-user", "NAME", "account at the PBX, registered while logged in; '' none",
	  CTL_TEXT, "upstream_user", false },
	{ "upstream-password", "SECRET|-", "its password, kept sealed; - asks for it", CTL_SECRET,
	  "upstream_password", false },
};

static const struct ctl_option upstream_options[] = {
	{ "user", "NAME", "our account there", CTL_TEXT, "user", false },
	{ "password", "SECRET|-", "its password, kept sealed; - asks for it", CTL_SECRET,
	  "password", false },
};

static const struct ctl_option phone_options[] = {
	{ "secret", "SECRET|-|generate",
	  "SIP password; - asks for it (arguments are visible to others), generate makes and "
	  "prints one",
	  CTL_SECRET, "secret", true },
	{ "no-secret", NULL, "no password: the phone cannot register", CTL_NULL, "secret", false },
	{ "label", "TEXT", "where it stands, for people", CTL_TEXT, "label", false },
	{ "mac", "MAC", "hardware address", CTL_TEXT, "mac", false },
	{ "model", "MODEL", "vendor and model, such as snom-d785", CTL_TEXT, "model", false },
	{ "owner", "NUMBER", "belongs to this user only; '' makes it free", CTL_TEXT, "owner",
	  false },
	{ "logout", "RULE", "as of users; comes before the user's", CTL_TEXT, "logout", false },
	{ "location", "TEXT|URI", "where it stands, for emergency calls", CTL_TEXT, "location",
	  false },
	{ "disabled", "yes|no", "may not register (no)", CTL_YES_NO, "disabled", false },
};

static const struct ctl_option key_options[] = {
	{ "type", "TYPE", "speed-dial, blf, line, url or call-list", CTL_TEXT, "type", false },
	{ "value", "VALUE", "number, code or URL; of a call list which", CTL_TEXT, "value", false },
	{ "label", "TEXT", "what stands beside it", CTL_TEXT, "label", false },
};

static const struct ctl_option render_options[] = {
	{ "file", "NAME", "main (without it), index, patch, or a name that the phone asks for",
	  CTL_PLAIN, NULL, false },
	{ "secrets", NULL, "with its password and the secret of its URL", CTL_FLAG, NULL, false },
};

static const struct ctl_option url_options[] = {
	{ "renew", NULL, "make it another one first: the old one is no longer good", CTL_FLAG, NULL,
	  false },
};

static const struct ctl_option logout_options[] = {
	{ "phone", "ID", "whoever sits at this phone", CTL_PLAIN, NULL, false },
};

static const struct ctl_option import_options[] = {
	{ "csv", NULL, "the file is CSV with the names of columns in its first line", CTL_FLAG,
	  NULL, false },
	{ "ignore-unknown", NULL, "CSV: skip columns with other names", CTL_FLAG, NULL, false },
	{ "dry-run", NULL, "change nothing, say row by row what would change", CTL_FLAG, NULL,
	  false },
};

static const struct ctl_option call_options[] = {
	{ "csv", NULL, "as CSV", CTL_FLAG, NULL, false },
	{ "kind", "KIND", "only dialled, received or missed", CTL_PLAIN, NULL, false },
};

static const struct ctl_option clear_options[] = {
	{ "everywhere", NULL, "number and name also out of the lists of others", CTL_FLAG, NULL,
	  false },
};

#define CALL call_options, COUNT(call_options)
#define CLEAR clear_options, COUNT(clear_options)
#define USER user_options, COUNT(user_options)
#define PHONE phone_options, COUNT(phone_options)
#define KEY key_options, COUNT(key_options)
#define RENDER render_options, COUNT(render_options)
#define URL url_options, COUNT(url_options)
#define LOGOUT logout_options, COUNT(logout_options)
#define IMPORT import_options, COUNT(import_options)
#define UPSTREAM upstream_options, COUNT(upstream_options)
#define NONE NULL, 0

const struct ctl_command ctl_commands[] = {
	{ "status", NULL, "", 0, 0, NONE, "how the daemon is", ctl_status },
	{ "user", "list", "", 0, 0, NONE, "all users", ctl_user_list },
	{ "user", "show", "NUMBER", 1, 1, NONE, "one user, with desk session and locks",
	  ctl_user_show },
	{ "user", "add", "NUMBER", 1, 1, USER, "a new user", ctl_user_add },
	{ "user", "set", "NUMBER", 1, 1, USER, "change what is given", ctl_user_set },
	{ "user", "remove", "NUMBER", 1, 1, NONE, "log out and remove", ctl_user_remove },
	{ "user", "unlock", "NUMBER", 1, 1, NONE, "forget wrong PINs", ctl_user_unlock },
	{ "user", "keys", "NUMBER", 1, 1, NONE, "the keys a user takes along", ctl_user_keys },
	{ "user", "set-key", "NUMBER PLACE", 2, 2, KEY, "put a key, 0: at the next free place",
	  ctl_user_set_key },
	{ "user", "remove-key", "NUMBER PLACE", 2, 2, NONE, "take a key away, 0: all without place",
	  ctl_user_remove_key },
	{ "phone", "list", "", 0, 0, NONE, "all phones", ctl_phone_list },
	{ "phone", "show", "ID", 1, 1, NONE, "one phone, with desk session and bindings",
	  ctl_phone_show },
	{ "phone", "add", "ID", 1, 1, PHONE, "a new phone", ctl_phone_add },
	{ "phone", "set", "ID", 1, 1, PHONE, "change what is given", ctl_phone_set },
	{ "phone", "remove", "ID", 1, 1, NONE, "end its desk session and bindings, remove",
	  ctl_phone_remove },
	{ "phone", "unlock", "ID", 1, 1, NONE, "forget wrong PINs typed there", ctl_phone_unlock },
	{ "phone", "keys", "ID", 1, 1, NONE, "the keys of a phone, whoever sits there",
	  ctl_phone_keys },
	{ "phone", "set-key", "ID PLACE", 2, 2, KEY, "put a key, 0: at the next free place",
	  ctl_phone_set_key },
	{ "phone", "remove-key", "ID PLACE", 2, 2, NONE, "take a key away, 0: all without place",
	  ctl_phone_remove_key },
	{ "phone", "url", "ID", 1, 1, URL,
	  "where it gets its configuration, and what DHCP is to say", ctl_phone_url },
	{ "phone", "renew-token", "ID", 1, 1, NONE, "make its configuration URL another one",
	  ctl_phone_renew_token },
	{ "phone", "render", "ID", 1, 1, RENDER, "what it would get as its configuration",
	  ctl_phone_render },
	{ "session", "list", "", 0, 0, NONE, "who sits where", ctl_session_list },
	{ "session", "login", "USER PHONE", 2, 2, NONE, "log a user in at a phone",
	  ctl_session_login },
	{ "session", "logout", "[USER]", 0, 1, LOGOUT, "log a user, or who sits at a phone, out",
	  ctl_session_logout },
	{ "audit", NULL, "", 0, 0, NONE, "logins, logouts and what users have set, the newest last",
	  ctl_audit },
	{ "binding", "list", "", 0, 0, NONE, "which phones are registered, from where",
	  ctl_binding_list },
	{ "call", "active", "[USER]", 0, 1, NONE, "calls in progress", ctl_call_active },
	{ "call", "list", "USER|PHONE", 1, 1, CALL, "the call list, newest first", ctl_call_list },
	{ "call", "export", "", 0, 0, NONE, "every entry of everybody, as CSV", ctl_call_export },
	{ "call", "clear", "USER|PHONE", 1, 1, CLEAR, "remove a call list for good",
	  ctl_call_clear },
	{ "upstream", "list", "", 0, 0, NONE, "the PBX and trunks behind us, and how they are",
	  ctl_upstream_list },
	{ "upstream", "set", "NAME", 1, 1, UPSTREAM, "our own account at one of them",
	  ctl_upstream_set },
	{ "upstream", "delete", "NAME", 1, 1, NONE, "forget that account", ctl_upstream_delete },
	{ "import", NULL, "FILE|-", 1, 1, IMPORT, "users and phones of a file: all or nothing",
	  ctl_import },
	{ "export", NULL, "[FILE]", 0, 1, NONE, "users and phones, without PINs and secrets",
	  ctl_export },
	{ "backup", NULL, "FILE", 1, 1, NONE, "a consistent copy of the store, made by the daemon",
	  ctl_backup },
	{ "check", NULL, "", 0, 0, NONE, "look for contradictions in the store", ctl_check },
	{ "repair", NULL, "", 0, 0, NONE, "restore or end what check complains of", ctl_repair },
	{ "reload", NULL, "", 0, 0, NONE, "read the configuration anew", ctl_reload },
	{ "metrics", NULL, "", 0, 0, NONE, "counters, as OpenMetrics text", ctl_metrics },
};
const size_t ctl_n_commands = COUNT(ctl_commands);
