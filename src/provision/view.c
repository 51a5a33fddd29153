/*
 * view.c - the names that templates may use, filled for one phone.
 *
 * Every name is there in every state, empty or false where it has no meaning, so that a template
 * that passes the check renders for every phone. README.md, "Provisioning", lists them.
 */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "hotdesk/base/uri.h"
#include "hotdesk/desk_operation.h"

struct fill {
	struct hd_view *view;
	const struct view_input *in;
	struct hd_face face;
	bool model;
};

static int hours(int32_t seconds)
{
	return seconds / 3600;
}

/* Text of people: without what the vendor's phones do not bear. */
static void text_of_people(const struct fill *f, struct hd_value *to, const char *name,
			   const char *text)
{
	const char *avoid = f->in->vendor->avoid;
	char clean[2 * HD_FACE_TEXT_SIZE];

	if (!avoid || !strpbrk(text, avoid) || hd_str_set(clean, sizeof(clean), text)) {
		hd_view_text(f->view, to, name, text);
		return;
	}
	for (char *p = strpbrk(clean, avoid); p; p = strpbrk(p, avoid))
		*p = ' ';
	hd_view_text(f->view, to, name, clean);
}

static void person_fill(const struct fill *f, const char *name, const struct hd_user *user,
			const char *number)
{
	struct hd_value *to = hd_view_object(f->view, hd_view_root(f->view), name);

	hd_view_text(f->view, to, "number", user ? user->number : number);
	text_of_people(f, to, "name", user ? user->name : "");
}

static void upper(char *dst, const char *src)
{
	size_t i = 0;

	for (; src[i]; i++)
		dst[i] = (char)(src[i] >= 'a' && src[i] <= 'f' ? src[i] - ('a' - 'A') : src[i]);
	dst[i] = '\0';
}

static void phone_fill(const struct fill *f)
{
	const struct hd_phone *phone = f->in->phone;
	struct hd_value *to = hd_view_object(f->view, hd_view_root(f->view), "phone");
	char mac[HD_MAC_SIZE], colons[18] = "";

	upper(mac, phone->mac);
	if (mac[0])
		(void)snprintf(colons, sizeof(colons), "%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", mac,
			       mac + 2, mac + 4, mac + 6, mac + 8, mac + 10);
	hd_view_text(f->view, to, "id", phone->id);
	text_of_people(f, to, "label", phone->label[0] ? phone->label : phone->id);
	hd_view_text(f->view, to, "model", phone->model);
	hd_view_text(f->view, to, "mac", phone->mac);
	hd_view_text(f->view, to, "MAC", mac);
	hd_view_text(f->view, to, "mac_colons", colons);
}

static void state_fill(const struct fill *f)
{
	struct hd_value *root = hd_view_root(f->view), *to;
	struct hd_slice en = hd_slice_of(f->face.language);

	hd_view_bool(f->view, root, "free", f->face.state == HD_FACE_FREE);
	hd_view_bool(f->view, root, "occupied", f->face.state == HD_FACE_OCCUPIED);
	hd_view_bool(f->view, root, "closed", f->face.state == HD_FACE_CLOSED);
	text_of_people(f, root, "display_name", f->face.name);
	text_of_people(f, root, "idle_text", f->face.idle);
	en.len = en.len > 2 ? 2 : en.len;
	to = hd_view_object(f->view, root, "language");
	hd_view_text(f->view, to, "tag", f->face.language);
	hd_view_bool(f->view, to, "de", hd_slice_caseis(en, "de"));
	hd_view_bool(f->view, to, "en", !hd_slice_caseis(en, "de"));
}

/* ---- account and server ---------------------------------------------------------------------- */

static void account_fill(const struct fill *f)
{
	struct hd_value *to = hd_view_object(f->view, hd_view_root(f->view), "account");

	hd_view_text(f->view, to, "user", f->in->phone->id);
	hd_view_text(f->view, to, "secret", f->in->secret);
	hd_view_text(f->view, to, "domain", f->in->values->domain);
	hd_view_int(f->view, to, "expires_s", f->in->values->expires_s);
	hd_view_int(f->view, to, "expires_min", (f->in->values->expires_s + 59) / 60);
}

static void server_fill(const struct fill *f)
{
	const struct hd_render_values *v = f->in->values;
	struct hd_value *to = hd_view_object(f->view, hd_view_root(f->view), "server");
	char host[280], address[300];

	(void)snprintf(host, sizeof(host), strchr(v->server, ':') ? "[%s]" : "%s", v->server);
	(void)snprintf(address, sizeof(address), "%s:%u", host, v->port);
	hd_view_text(f->view, to, "host", host);
	hd_view_int(f->view, to, "port", v->port);
	hd_view_text(f->view, to, "address", address);
	hd_view_text(f->view, to, "transport", v->transport);
	hd_view_bool(f->view, to, "udp", strcmp(v->transport, "udp") == 0);
	hd_view_bool(f->view, to, "tcp", strcmp(v->transport, "tcp") == 0);
	hd_view_bool(f->view, to, "tls", strcmp(v->transport, "tls") == 0);
}

/* The phone's own URL, "https://hd.example/TOKEN/", and names of its files there. */
static void url_fill(const struct fill *f)
{
	struct hd_value *root = hd_view_root(f->view);
	const struct hd_vendor *v = f->in->vendor;
	const char *url = f->in->values->url;
	struct hd_buf own = { 0 };
	const char *bare;
	char file[128];
	bool https;

	if (url && f->in->token[0])
		hd_buf_addf(&own, "%s%s%s/", url, url[0] && url[strlen(url) - 1] == '/' ? "" : "/",
			    f->in->token);
	/* The same for phones that want the scheme apart. */
	https = own.len > 8 && memcmp(own.data, "https://", 8) == 0;
	bare = own.len ? strstr(own.data, "://") : NULL;
	hd_view_bool(f->view, root, "https", https);
	hd_view_text(f->view, root, "url_bare", bare ? bare + 3 : "");
	hd_view_buf(f->view, root, "url", &own);
	if (hd_vendor_file_name(file, sizeof(file), v->files, f->in->phone->mac))
		file[0] = '\0';
	hd_view_text(f->view, root, "file", file);
	if (hd_vendor_file_name(file, sizeof(file), v->patch_files, f->in->phone->mac))
		file[0] = '\0';
	hd_view_text(f->view, root, "patch_file", file);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void rule_fill(const struct fill *f, struct hd_value *to, const char *name,
		      const struct hd_timezone_rule *rule)
{
	char two[8];

	to = hd_view_object(f->view, to, name);
	hd_view_int(f->view, to, "month", rule->month);
	(void)snprintf(two, sizeof(two), "%02u", rule->month % 100);
	hd_view_text(f->view, to, "month2", two);
	hd_view_int(f->view, to, "week", rule->week);
	hd_view_bool(f->view, to, "last", rule->week == 5);
	/* The first day that can be the one: 8 for the second week. */
	hd_view_int(f->view, to, "day", 7 * (rule->week ? rule->week - 1 : 0) + 1);
	hd_view_int(f->view, to, "weekday", rule->weekday);
	hd_view_int(f->view, to, "weekday1", rule->weekday ? rule->weekday : 7);
	hd_view_int(f->view, to, "weekday_sunday1", rule->weekday + 1);
	hd_view_int(f->view, to, "hour", rule->hour);
	(void)snprintf(two, sizeof(two), "%02u", rule->hour % 100);
	hd_view_text(f->view, to, "hour2", two);
}

static void time_fill(const struct fill *f)
{
	const struct hd_timezone *z = &f->in->values->zone;
	struct hd_value *to = hd_view_object(f->view, hd_view_root(f->view), "time");
	int32_t offset = z->offset_s, minutes = (offset < 0 ? -offset : offset) / 60;
	char text[24];

	hd_view_text(f->view, to, "ntp", f->in->values->ntp);
	hd_view_text(f->view, to, "zone", z->name);
	hd_view_text(f->view, to, "posix", z->posix);
	hd_view_int(f->view, to, "offset_s", offset);
	hd_view_int(f->view, to, "offset_min", offset / 60);
	hd_view_int(f->view, to, "west_min", -offset / 60);
	(void)snprintf(text, sizeof(text), "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60,
		       minutes % 60);
	hd_view_text(f->view, to, "offset", text);
	/* "+1", "+5:30" */
	(void)snprintf(text, sizeof(text), minutes % 60 ? "%c%d:%02d" : "%c%d",
		       offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
	hd_view_text(f->view, to, "offset_short", text);
	hd_view_bool(f->view, to, "dst", z->has_dst);
	hd_view_int(f->view, to, "dst_offset_s", z->dst_offset_s);
	hd_view_int(f->view, to, "dst_offset_min", z->dst_offset_s / 60);
	hd_view_int(f->view, to, "dst_offset_h", hours(z->dst_offset_s));
	rule_fill(f, to, "dst_begin", &z->dst_begin);
	rule_fill(f, to, "dst_end", &z->dst_end);
}

static void emergency_fill(const struct fill *f)
{
	const struct hd_render_values *v = f->in->values;
	struct hd_value *root = hd_view_root(f->view), *list, *to;
	struct hd_buf blanks = { 0 }, commas = { 0 }, bars = { 0 };

	list = hd_view_list(f->view, root, "emergency");
	for (size_t i = 0; i < v->n_emergency; i++) {
		to = hd_view_object(f->view, list, NULL);
		hd_view_text(f->view, to, "number", v->emergency[i]);
		hd_view_int(f->view, to, "place", (int64_t)i + 1);
		hd_buf_addf(&blanks, "%s%s", i ? " " : "", v->emergency[i]);
		hd_buf_addf(&commas, "%s%s", i ? "," : "", v->emergency[i]);
		hd_buf_addf(&bars, "%s%s", i ? "|" : "", v->emergency[i]);
	}
	hd_view_buf(f->view, root, "emergency_blanks", &blanks);
	hd_view_buf(f->view, root, "emergency_commas", &commas);
	hd_view_buf(f->view, root, "emergency_bars", &bars);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static const char *code_of(const struct fill *f)
{
	const struct hd_feature_codes *codes = &f->in->values->codes;

	if (!f->in->values->login_code)
		return codes->toggle;
	return f->face.state == HD_FACE_OCCUPIED ? codes->logout : codes->login;
}

/* "sip:201@hotdesk.local" of a number; what is a URI already stays. */
static void uri_add(struct hd_buf *b, const struct fill *f, const char *value)
{
	struct hd_uri uri;

	if (strchr(value, ':') && !hd_uri_parse(&uri, hd_slice_of(value))) {
		hd_buf_adds(b, value);
		return;
	}
	hd_buf_adds(b, "sip:");
	hd_uri_escape_user(b, hd_slice_of(value));
	hd_buf_addf(b, "@%s", f->in->values->domain);
}

/* What is dialled: of a URI of our domain its user part. */
static void number_add(struct hd_buf *b, const struct fill *f, const char *value)
{
	struct hd_uri uri;

	if (strchr(value, ':') && !hd_uri_parse(&uri, hd_slice_of(value)) &&
	    uri.scheme <= HD_URI_SIPS && uri.user.len &&
	    hd_slice_caseis(uri.host, f->in->values->domain))
		hd_buf_add(b, uri.user);
	else
		hd_buf_adds(b, value);
}

/* Of a URI with parameters no more than what the vendor's key can have: "sip:1@x;lr" to "sip:1@x".
 */
static void cut(const struct fill *f, struct hd_buf *b)
{
	const char *avoid = f->in->vendor->avoid;
	char *end = avoid && b->len ? strpbrk(b->data, avoid) : NULL;

	if (!end)
		return;
	b->len = (size_t)(end - b->data);
	*end = '\0';
}

/* Between quotes of a Lua program: "a\034b" of a quotation mark between a and b. */
static void lua_add(struct hd_buf *b, const char *text)
{
	for (const char *p = text; *p; p++) {
		bool plain = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
			     (*p >= 'A' && *p <= 'Z') || strchr("-._:/?=[]%", *p);

		hd_buf_addf(b, plain ? "%c" : "\\%03u", (unsigned char)*p);
	}
}

static void key_target_fill(const struct fill *f, struct hd_value *to, const char *value,
			    bool is_dialled)
{
	struct hd_buf number = { 0 }, uri = { 0 }, lua = { 0 };

	if (is_dialled) {
		number_add(&number, f, value);
		uri_add(&uri, f, value);
		cut(f, &number);
		cut(f, &uri);
	}
	lua_add(&lua, value);
	hd_view_text(f->view, to, "value", value);
	hd_view_buf(f->view, to, "value_lua", &lua);
	hd_view_buf(f->view, to, "number", &number);
	hd_view_buf(f->view, to, "uri", &uri);
}

static const char *pickup_code(const struct fill *f)
{
	return f->in->values->codes.user[HD_USER_CODE_PICKUP];
}

/* "*8202" of a BLF key; "": it has none. Nothing rings at a code. */
static void pickup_fill(const struct fill *f, struct hd_value *to, const struct hd_face_key *key)
{
	struct hd_buf number = { 0 }, pickup = { 0 };
	struct hd_feature code = { 0 };

	if (key->kind == HD_FACE_KEY_BLF && pickup_code(f)[0]) {
		number_add(&number, f, key->value);
		cut(f, &number);
		if (number.len && !strpbrk(hd_buf_text(&number), ":@") &&
		    hd_feature_parse(&code, &f->in->values->codes,
				     hd_slice_of(hd_buf_text(&number))) == HD_ENOENT)
			hd_buf_addf(&pickup, "%s%s", pickup_code(f), hd_buf_text(&number));
		hd_feature_wipe(&code);
	}
	hd_buf_fini(&number);
	hd_view_buf(f->view, to, "pickup", &pickup);
}

/* Whoever is logged in logs out by one press; the form is for number and PIN. */
static bool opens_form(const struct fill *f)
{
	const struct hd_render_values *v = f->in->values;

	return f->in->vendor->form_key && !f->in->vendor->form_unsure && v->login_form && v->url &&
	       f->in->token[0] && f->face.state != HD_FACE_OCCUPIED;
}

/* "https://hd.example/TOKEN/form"; "": there is no such URL. */
static void url_make(const struct fill *f, char url[HD_URL_SIZE], const char *what, const char *of)
{
	const char *base = f->in->values->url;
	size_t len = base ? strlen(base) : 0;

	while (len > 0 && base[len - 1] == '/')
		len--;
	if (len == 0 || !f->in->token[0] ||
	    snprintf(url, HD_URL_SIZE, "%.*s/%s/%s%s%s", (int)len, base, f->in->token, what,
		     of[0] ? "/" : "", of) >= HD_URL_SIZE)
		url[0] = '\0';
}

static const char *calls_label(const struct fill *f)
{
	return hd_language_is_german(f->face.language) ? "Anrufe" : "Calls";
}

/* What a key is in the words of templates: one of the flags below is true. */
struct role {
	bool empty, login, form, url;
	char text[HD_URL_SIZE];
	const char *value, *label;
};

static void calls_role(const struct fill *f, struct role *r, const struct hd_face_key *key)
{
	const struct hd_vendor *v = f->in->vendor;

	url_make(f, r->text, "calls", key->value);
	r->value = r->text;
	r->label = key->label[0] ? key->label : calls_label(f);
	/* The others have it behind a button of theirs. */
	r->empty = !r->text[0] || (v->list && !v->form_key);
	r->form = !r->empty && v->form_key;
	r->url = !r->empty && !v->form_key;
	if (r->empty)
		r->value = r->label = "";
}

static void role_make(const struct fill *f, struct role *r, const struct hd_face_key *key)
{
	memset(r, 0, sizeof(*r));
	if (key->kind == HD_FACE_KEY_CALL_LIST) {
		calls_role(f, r, key);
		return;
	}
	r->empty = key->kind == HD_FACE_KEY_EMPTY;
	r->url = key->kind == HD_FACE_KEY_URL;
	r->form = key->kind == HD_FACE_KEY_LOGIN && opens_form(f);
	r->login = key->kind == HD_FACE_KEY_LOGIN && !r->form;
	if (r->form)
		url_make(f, r->text, "form", "");
	r->value = r->form ? r->text : r->login ? code_of(f) : key->value;
	/* A line key shows what the account is called. */
	r->label = key->label[0]		   ? key->label
		   : r->form || r->login	   ? f->face.key
		   : key->kind == HD_FACE_KEY_LINE ? f->face.name
						   : r->value;
}

static void key_fill(const struct fill *f, struct hd_value *list, const struct hd_face_key *key)
{
	struct hd_value *to = hd_view_object(f->view, list, NULL);
	struct role r;

	role_make(f, &r, key);
	hd_view_int(f->view, to, "place", key->place);
	hd_view_int(f->view, to, "index", key->place - 1);
	hd_view_bool(f->view, to, "empty", r.empty);
	hd_view_bool(f->view, to, "line", key->kind == HD_FACE_KEY_LINE);
	hd_view_bool(f->view, to, "speed_dial", key->kind == HD_FACE_KEY_SPEED_DIAL);
	hd_view_bool(f->view, to, "blf", key->kind == HD_FACE_KEY_BLF);
	hd_view_bool(f->view, to, "url_key", r.url);
	hd_view_bool(f->view, to, "login_key", r.login);
	hd_view_bool(f->view, to, "form_key", r.form);
	text_of_people(f, to, "label", r.label);
	key_target_fill(f, to, r.value,
			r.login || key->kind == HD_FACE_KEY_SPEED_DIAL ||
				key->kind == HD_FACE_KEY_BLF);
	pickup_fill(f, to, key);
	for (const struct hd_vendor_number *n = f->in->vendor->numbers; n && n->name; n++)
		hd_view_int(f->view, to, n->name,
			    (int64_t)n->first + (int64_t)n->step * (key->place - 1));
	hd_wipe(r.text, sizeof(r.text));
}

/* For phones that have a button for it, and no key. */
static void calls_fill(const struct fill *f)
{
	struct hd_value *to = hd_view_object(f->view, hd_view_root(f->view), "calls");
	char url[HD_URL_SIZE] = "";

	if (f->in->vendor->list)
		url_make(f, url, "calls", "");
	hd_view_text(f->view, to, "url", url);
	hd_view_text(f->view, to, "label", calls_label(f));
	hd_wipe(url, sizeof(url));
}

static void login_fill(const struct fill *f)
{
	const struct hd_feature_codes *codes = &f->in->values->codes;
	struct hd_value *to = hd_view_object(f->view, hd_view_root(f->view), "login");
	struct hd_buf lamp = { 0 };

	text_of_people(f, to, "label", f->face.key);
	hd_view_text(f->view, to, "code", code_of(f));
	hd_view_text(f->view, to, "login_code", codes->login);
	hd_view_text(f->view, to, "logout_code", codes->logout);
	hd_view_text(f->view, to, "toggle_code", codes->toggle);
	hd_view_text(f->view, hd_view_root(f->view), "pickup_code", pickup_code(f));
	/* Its dialog state is the lamp: RFC 4235. */
	uri_add(&lamp, f, codes->login);
	hd_view_buf(f->view, to, "lamp_uri", &lamp);
}

static uint8_t login_place(const struct fill *f)
{
	int place = f->in->values->login_key;

	if (!f->in->vendor->keys)
		return 0;
	if (place == HD_LOGIN_KEY_VENDOR)
		return f->in->vendor->key_place;
	return place > 0 && place <= HD_PHONE_KEYS_MAX ? (uint8_t)place : 0;
}

static void keys_fill(const struct fill *f)
{
	const struct view_input *in = f->in;
	struct hd_value *list = hd_view_list(f->view, hd_view_root(f->view), "keys");
	struct hd_face_key keys[HD_PHONE_KEYS_MAX];
	const struct hd_face_merge merge = {
		.phone = in->phone_keys,
		.user = in->user_keys,
		.n_phone = in->vendor->keys ? in->n_phone_keys : 0,
		.n_user = f->face.state == HD_FACE_OCCUPIED ? in->n_user_keys : 0,
		.places = in->vendor->keys,
		.lines = in->vendor->lines,
		.login = login_place(f),
		.calls = in->vendor->keys && in->vendor->form_key ? in->values->call_list_key : 0,
		.codes = { in->values->codes.login, in->values->codes.logout,
			   in->values->codes.toggle },
	};
	size_t n = hd_face_keys(keys, &merge, NULL);

	for (size_t i = 0; i < n; i++)
		key_fill(f, list, &keys[i]);
	if (n == 0 && f->model)
		key_fill(f, list, &(struct hd_face_key){ .place = 1, .label = "", .value = "" });
}

int view_fill(struct hd_view *view, const struct view_input *input, bool model)
{
	struct fill f = { .view = view, .in = input, .model = model };
	const struct hd_face_input face = {
		.phone = input->phone,
		.user = input->user,
		.owner = input->owner,
		.language = input->values->language,
		.texts = &input->values->texts,
	};

	hd_face_make(&f.face, &face);
	state_fill(&f);
	person_fill(&f, "user", input->user, "");
	person_fill(&f, "owner", input->owner, input->phone->owner);
	phone_fill(&f);
	account_fill(&f);
	server_fill(&f);
	url_fill(&f);
	time_fill(&f);
	emergency_fill(&f);
	login_fill(&f);
	calls_fill(&f);
	keys_fill(&f);
	hd_view_bool(view, hd_view_root(view), "hoteling", input->values->hoteling);
	hd_view_bool(view, hd_view_root(view), "feature_sync", input->values->feature_sync);
	return hd_view_error(view);
}
