/*
 * vendor.c - the habits of phones by vendor: one row each; see struct hd_vendor.
 *
 * interrupts: true unless the vendor says that a resync leaves calls alone.
 */
#include <stdio.h>
#include <string.h>

#include "device_priv.h"

#define LIST(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define NONE ((const char *const[]){ NULL })

#define XML "text/xml; charset=utf-8"
#define TEXT "text/plain; charset=utf-8"
#define HTML "text/html; charset=utf-8"
#define BODY "application/xml"
#define SUMMARY "application/simple-message-summary"

static const struct hd_vendor_number grandstream_numbers[] = {
	{ "p_type", 23000, 5 },
	{ "p_account", 23001, 5 },
	{ "p_label", 23002, 5 },
	{ "p_value", 23003, 5 },
	{ 0 },
};

#define DHCP(...)                                                                                  \
	(const struct hd_vendor_dhcp[])                                                            \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			.option = 0                                                                \
		}                                                                                  \
	}

static const struct hd_vendor vendors[] = {
	{
		.name = "auerswald",
		.models = LIST("comfortel"),
		.template = "auerswald.xml",
		.patch = "auerswald-keys.xml",
		.type = XML,
		.patch_type = BODY,
		.escape = HD_ESCAPE_XML,
		.patch_escape = HD_ESCAPE_XML,
		.files = LIST("%m.xml", "%m"),
		.common = LIST("provisioning.xml", "prov*"),
		.patch_files = LIST("%m-keys.xml", "keys.xml"),
		.event = "check-sync",
		.event_type = BODY,
		.resync = HD_RESYNC_PATCH,
		.key_place = 1,
		.keys = 18,
		.url_file = "<MACADR>.xml",
		.dhcp = DHCP({ .option = 66, .split = true }),
		.form = "auerswald.xml",
		.list = "auerswald-calls.xml",
		.settings = "auerswald-settings.xml",
		.list_page = 10,
		.form_type = XML,
		.form_key = true,
		.form_unsure = true,
	},
	{
		.name = "yealink",
		.models = NONE,
		.template = "yealink.cfg",
		.type = TEXT,
		.escape = HD_ESCAPE_LINE,
		.files = LIST("%m.cfg"),
		.common = LIST("y000000000*.cfg"),
		.optional = LIST("%m.boot", "y000000000000.boot", "%m-local.cfg", "%m-*"),
		.event = "check-sync;reboot=false",
		.resync = HD_RESYNC_EMPTY,
		.fetches = true,
		.key_place = 2,
		.keys = 27,
		.lines = 1,
		.dhcp = DHCP({ .option = 66 }),
		.form = "yealink.xml",
		.list = "yealink-calls.xml",
		.settings = "yealink-settings.xml",
		.list_page = 20,
		.form_type = XML,
		.form_key = true,
		.screen_event = "Yealink-xml",
		.screen_type = BODY,
		.screen_begin = "<YealinkIPPhoneTextScreen Beep=\"yes\" Timeout=\"30\"><Title>"
				"hotdesk</Title><Text>",
		.screen_end = "</Text></YealinkIPPhoneTextScreen>",
		.status_begin = "<YealinkIPPhoneStatus Beep=\"no\" SessionID=\"hotdesk\" "
				"Timeout=\"0\"><Message>",
		.status_end = "</Message></YealinkIPPhoneStatus>",
		.lamp_on = "<YealinkIPPhoneExecute Beep=\"no\">"
			   "<ExecuteItem URI=\"Led:POWER=slowflash\"/></YealinkIPPhoneExecute>",
		.lamp_off = "<YealinkIPPhoneExecute Beep=\"no\">"
			    "<ExecuteItem URI=\"Led:POWER=off\"/></YealinkIPPhoneExecute>",
		.forget_calls = "<YealinkIPPhoneExecute Beep=\"no\">"
				"<ExecuteItem URI=\"Command:ClearCallersList\"/>"
				"<ExecuteItem URI=\"Command:ClearRedialList\"/>"
				"</YealinkIPPhoneExecute>",
	},
	{
		.name = "snom",
		.models = NONE,
		.template = "snom.xml",
		.type = XML,
		.escape = HD_ESCAPE_XML,
		.files = LIST("%M.xml", "snom*-%M.htm", "%M.htm", "%M"),
		.common = LIST("snom*.htm", "snom*.xml", "snom*"),
		.optional = LIST("snom*-firmware.htm"),
		.event = "check-sync;reboot=false",
		.resync = HD_RESYNC_EMPTY,
		.fetches = true,
		.key_place = 2,
		.keys = 24,
		.lines = 1,
		.url_file = "{mac}.xml",
		.dhcp = DHCP({ .option = 66 }),
		.form = "snom.xml",
		.list = "snom-calls.xml",
		.settings = "snom-settings.xml",
		.list_page = 20,
		.form_type = XML,
		.form_key = true,
		.screen_event = "xml",
		.screen_type = "application/snomxml",
		.screen_begin = "<SnomIPPhoneText><Title>hotdesk</Title><Text>",
		.screen_end =
			"</Text><fetch mil=\"30000\">snom://mb_exit</fetch></SnomIPPhoneText>",
		.forget_calls =
			"<IPPhoneSilent document_id=\"hotdesk\">"
			"<fetch mil=\"10\">phone://mb_exit#calllistclear</fetch></IPPhoneSilent>",
	},
	{
		.name = "grandstream",
		.models = NONE,
		.template = "grandstream.xml",
		.type = XML,
		.escape = HD_ESCAPE_XML,
		.files = LIST("cfg%m.xml", "cfg%m"),
		.common = LIST("cfg*.xml", "cfg"),
		.optional = LIST("gs_phonebook.xml", "phonebook.xml", "ring*", "*fw.bin"),
		.event = "resync",
		.resync = HD_RESYNC_EMPTY,
		.interrupts = true,
		.fetches = true,
		.key_place = 1,
		.keys = 12,
		.numbers = grandstream_numbers,
		.dhcp = DHCP({ .option = 66 }, { .option = 160 }),
	},
	{
		.name = "polycom",
		.models = LIST("poly"),
		.template = "polycom.cfg",
		.index = "polycom-index.cfg",
		.type = XML,
		.escape = HD_ESCAPE_XML,
		.files = LIST("%m-hotdesk.cfg"),
		.common = NONE,
		.index_files = LIST("%m.cfg", "000000000000.cfg"),
		.optional = LIST("%m-phone.cfg", "%m-web.cfg", "%m-directory.xml",
				 "000000000000-directory.xml", "%m-license.cfg",
				 "000000000000-license.cfg", "%m-*", "*.ld", "*.ver"),
		.event = "check-sync",
		.event_type = SUMMARY,
		.resync = HD_RESYNC_SUMMARY,
		.interrupts = true,
		.fetches = true,
		.key_place = 1,
		.keys = 12,
		.dhcp = DHCP({ .option = 160 }, { .option = 66 }),
		.form = "polycom.html",
		.list = "polycom-calls.html",
		.settings = "polycom-settings.html",
		.list_page = 10,
		.form_type = HTML,
	},
	{
		.name = "cisco-spa",
		.models = LIST("linksys", "sipura", "spa"),
		.template = "cisco-spa.xml",
		.type = XML,
		.escape = HD_ESCAPE_XML,
		.files = LIST("%m.xml", "%M.xml", "spa%m.cfg", "%m.cfg"),
		.common = LIST("spa*.cfg"),
		.event = "resync",
		.resync = HD_RESYNC_EMPTY,
		.interrupts = true,
		.fetches = true,
		.key_place = 2,
		.keys = 5,
		.lines = 1,
		.avoid = ";",
		.url_file = "$MA.xml",
		.dhcp = DHCP({ .option = 66 }, { .option = 160 }, { .option = 150 }),
		.form = "cisco.xml",
		.list = "cisco-calls.xml",
		.settings = "cisco-settings.xml",
		.list_page = 24,
		.form_type = XML,
	},
	{
		.name = "cisco-mpp",
		.models = LIST("cisco-cp", "cisco"),
		.template = "cisco-mpp.xml",
		.type = XML,
		.escape = HD_ESCAPE_XML,
		.files = LIST("%m.xml", "%m.cfg"),
		.common = LIST("CP-*", "config.xml"),
		.event = "resync",
		.resync = HD_RESYNC_EMPTY,
		.interrupts = true,
		.fetches = true,
		.key_place = 2,
		.keys = 10,
		.lines = 1,
		.avoid = ";",
		.url_file = "$MA.xml",
		.dhcp = DHCP({ .option = 66 }, { .option = 160 }, { .option = 150 }),
		.form = "cisco.xml",
		.list = "cisco-calls.xml",
		.settings = "cisco-settings.xml",
		.list_page = 24,
		.form_type = XML,
		.screen_event = "XML-Service",
		.screen_type = XML,
		.forget_calls = "<CiscoIPPhoneExecute>"
				"<ExecuteItem Priority=\"0\" URL=\"Init:CallHistory\"/>"
				"</CiscoIPPhoneExecute>",
	},
	{
		.name = "fanvil",
		.models = NONE,
		.template = "fanvil.xml",
		.type = XML,
		.escape = HD_ESCAPE_XML,
		.files = LIST("%m.cfg", "%m.xml"),
		.common = LIST("f0*.cfg"),
		.event = "check-sync",
		.resync = HD_RESYNC_EMPTY,
		.interrupts = true,
		.fetches = true,
		.key_place = 2,
		.keys = 12,
		.lines = 1,
		.avoid = "&",
		.dhcp = DHCP({ .option = 66 }),
		.form = "fanvil.xml",
		.list = "fanvil-calls.xml",
		.settings = "fanvil-settings.xml",
		.list_page = 14,
		.form_type = XML,
		.form_key = true,
	},
	{
		/* The NOTIFY makes it fetch "action uri xml sip notify", which is the patch. */
		.name = "mitel",
		.models = LIST("aastra"),
		.template = "mitel.cfg",
		.patch = "mitel-keys.xml",
		.type = TEXT,
		.patch_type = XML,
		.escape = HD_ESCAPE_LINE,
		.patch_escape = HD_ESCAPE_XML,
		.files = LIST("%M.cfg"),
		.common = LIST("aastra.cfg", "startup.cfg", "6*.cfg"),
		.patch_files = LIST("%M-keys.xml", "keys.xml"),
		.optional = LIST("security.tuz", "aastra.tuz", "startup.tuz", "%M.tuz", "6*.tuz",
				 "6*.st", "*.csv"),
		.event = "aastra-xml",
		.event_type = BODY,
		.resync = HD_RESYNC_EMPTY,
		.fetches = true,
		.key_place = 2,
		.keys = 10,
		.lines = 1,
		.dhcp = DHCP({ .option = 43, .sub = 2 }, { .option = 66 }),
		.form = "mitel.xml",
		.list = "mitel-calls.xml",
		.settings = "mitel-settings.xml",
		.list_page = 24,
		.form_type = XML,
		.form_key = true,
		.screen_event = "aastra-xml",
		.screen_type = BODY,
		.screen_begin = "<AastraIPPhoneTextScreen Beep=\"yes\" Timeout=\"30\"><Title>"
				"hotdesk</Title><Text>",
		.screen_end = "</Text></AastraIPPhoneTextScreen>",
		.status_begin = "<AastraIPPhoneStatus Beep=\"no\"><Session>hotdesk</Session>"
				"<Message index=\"0\">",
		.status_end = "</Message></AastraIPPhoneStatus>",
		/* Not ClearDirectory: what is in there are people. */
		.forget_calls = "<AastraIPPhoneExecute Beep=\"no\">"
				"<ExecuteItem URI=\"Command: ClearCallersList\"/>"
				"<ExecuteItem URI=\"Command: ClearRedialList\"/>"
				"</AastraIPPhoneExecute>",
	},
	{
		.name = "gigaset",
		.models = NONE,
		.template = "gigaset.xml",
		.type = XML,
		.escape = HD_ESCAPE_XML,
		.files = LIST("%M.xml"),
		.common = LIST("provisioning.xml"),
		.event = "check-sync;reboot=false",
		.resync = HD_RESYNC_EMPTY,
		.fetches = true,
		.url_file = "%MACD.xml",
		.dhcp = DHCP({ .option = 66 }, { .option = 114 }),
	},
	/* The last one is everybody else. */
	{
		.name = "generic",
		.models = NONE,
		.template = "generic.cfg",
		.type = TEXT,
		.escape = HD_ESCAPE_LINE,
		.files = LIST("%m.cfg", "%m.xml", "%m.txt", "%m", "cfg%m.xml", "cfg%m"),
		.common = NONE,
		.event = "check-sync;reboot=false",
		.event_type = SUMMARY,
		.resync = HD_RESYNC_SUMMARY,
		.interrupts = true,
		.fetches = true,
		.key_place = 1,
		.keys = 12,
		.dhcp = DHCP({ .option = 66 }, { .option = 160 }),
	},
};

enum { VENDORS = sizeof(vendors) / sizeof(vendors[0]) };

const struct hd_vendor *hd_vendors(size_t *np)
{
	*np = VENDORS;
	return vendors;
}

/* How many bytes of the model are this vendor's name; the longest wins. */
static size_t begins_with(const struct hd_vendor *v, struct hd_slice model)
{
	size_t best = device_begins(model, v->name) ? strlen(v->name) : 0;

	for (size_t i = 0; v->models[i]; i++)
		if (strlen(v->models[i]) > best && device_begins(model, v->models[i]))
			best = strlen(v->models[i]);
	return best;
}

const struct hd_vendor *hd_vendor_of_model(const char *model)
{
	const struct hd_vendor *found = &vendors[VENDORS - 1];
	size_t best = 0, n;

	for (size_t i = 0; i < VENDORS; i++) {
		n = begins_with(&vendors[i], hd_slice_of(model));
		if (n > best) {
			best = n;
			found = &vendors[i];
		}
	}
	return found;
}

/* ---- file names ------------------------------------------------------------------------------ */

enum { MAC_DIGITS = HD_MAC_SIZE - 1 };

/* How long the text is that n characters of a pattern stand for. */
static size_t text_length(const char *pattern, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (pattern[i] == '%')
			i++;
		len += i > 0 && pattern[i - 1] == '%' ? MAC_DIGITS : 1;
	}
	return len;
}

/* n characters of a pattern without '*' at the beginning of a text that is long enough. */
static bool begins_like(const char *pattern, size_t n, const char *mac, const char *text)
{
	char digits[HD_MAC_SIZE];

	for (size_t i = 0; i < n; i++) {
		if (pattern[i] != '%') {
			if (!hd_slice_caseeq((struct hd_slice){ pattern + i, 1 },
					     (struct hd_slice){ text++, 1 }))
				return false;
			continue;
		}
		i++;
		if (hd_mac_parse(digits, (struct hd_slice){ text, MAC_DIGITS }) ||
		    (mac[0] && strcmp(mac, digits) != 0))
			return false;
		text += MAC_DIGITS;
	}
	return true;
}

static bool matches(const char *pattern, const char *mac, struct hd_slice file)
{
	size_t n = strcspn(pattern, "*"), first = text_length(pattern, n);
	const char *tail = pattern + n + (pattern[n] == '*');
	size_t last = text_length(tail, strlen(tail));

	if (file.len < first + last || (pattern[n] == '\0' && file.len != first))
		return false;
	return begins_like(pattern, n, mac, file.ptr) &&
	       begins_like(tail, strlen(tail), mac, file.ptr + file.len - last);
}

static bool matches_one(const char *const *patterns, const char *mac, struct hd_slice file)
{
	for (size_t i = 0; patterns && patterns[i]; i++)
		if (matches(patterns[i], mac, file))
			return true;
	return false;
}

enum hd_vendor_file hd_vendor_file_of(const struct hd_vendor *v, const char *mac,
				      struct hd_slice file)
{
	char other[HD_MAC_SIZE];

	if (!hd_device_find_mac(other, file) && mac[0] && strcmp(mac, other) != 0)
		return HD_VENDOR_FILE_NONE;
	if (matches_one(v->files, mac, file))
		return HD_VENDOR_FILE_MAIN;
	if (matches_one(v->index_files, mac, file))
		return HD_VENDOR_FILE_INDEX;
	if (matches_one(v->patch_files, mac, file))
		return HD_VENDOR_FILE_PATCH;
	if (matches_one(v->optional, mac, file))
		return HD_VENDOR_FILE_OPTIONAL;
	return matches_one(v->common, mac, file) ? HD_VENDOR_FILE_MAIN : HD_VENDOR_FILE_NONE;
}

int hd_vendor_file_name(char *dst, size_t size, const char *const *patterns, const char *mac)
{
	size_t n = 0;
	char c;

	if (!patterns || !patterns[0] || (strchr(patterns[0], '%') && !mac[0]))
		return HD_ENOENT;
	for (const char *p = patterns[0]; *p; p++) {
		size_t digits = *p == '%' ? MAC_DIGITS : 0;

		if (n + (digits ? digits : 1) >= size)
			return HD_ELIMIT;
		if (!digits)
			dst[n++] = *p;
		for (size_t i = 0; i < digits; i++) {
			c = mac[i];
			if (p[1] == 'M' && c >= 'a' && c <= 'f')
				c = (char)(c - ('a' - 'A'));
			dst[n++] = c;
		}
		p += digits ? 1 : 0;
	}
	dst[n] = '\0';
	return 0;
}
