/* hint.c - what User-Agents and file names say about a phone; see device.h. */
#include <string.h>

#include "device_priv.h"

/* ---- words ----------------------------------------------------------------------------------- */

static struct hd_slice skip(struct hd_slice s, size_t n)
{
	return n < s.len ? (struct hd_slice){ s.ptr + n, s.len - n } : (struct hd_slice){ 0 };
}

/* Up to the first of `ends`; *restp: behind it. */
static struct hd_slice until(struct hd_slice s, const char *ends, struct hd_slice *restp)
{
	size_t n = 0;

	while (n < s.len && (s.ptr[n] == '\0' || !strchr(ends, s.ptr[n])))
		n++;
	if (restp)
		*restp = skip(s, n + 1);
	return (struct hd_slice){ s.ptr, n };
}

static struct hd_slice word(struct hd_slice *s)
{
	struct hd_slice w;

	do
		w = until(*s, " ", s);
	while (w.len == 0 && s->len > 0);
	return w;
}

/* Where `what` stands in s, ASCII case-insensitive; s.len when it does not. */
static size_t find(struct hd_slice s, const char *what)
{
	for (size_t i = 0; i < s.len; i++)
		if (device_begins(skip(s, i), what))
			return i;
	return s.len;
}

/* "yealink", "SIP-T46U" to "yealink-sip-t46u": small letters, digits and single '-'. */
static void model_set(struct hd_device_hint *hint, const char *maker, struct hd_slice model)
{
	size_t n = strlen(maker);

	hint->model[0] = '\0';
	if (n + 1 >= sizeof(hint->model) || model.len == 0)
		return;
	memcpy(hint->model, maker, n);
	if (n > 0)
		hint->model[n++] = '-';
	for (size_t i = 0; i < model.len && n + 1 < sizeof(hint->model); i++) {
		char c = model.ptr[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		if (device_is_alnum(c))
			hint->model[n++] = c;
		else if (n > 0 && hint->model[n - 1] != '-')
			hint->model[n++] = '-';
	}
	while (n > 0 && hint->model[n - 1] == '-')
		n--;
	hint->model[n] = '\0';
}

static bool is_version(struct hd_slice s)
{
	return s.len > 0 && s.ptr[0] >= '0' && s.ptr[0] <= '9';
}

static void firmware_set(struct hd_device_hint *hint, struct hd_slice s)
{
	if (s.len > 1 && (s.ptr[0] == 'V' || s.ptr[0] == 'v') && is_version(skip(s, 1)))
		s = skip(s, 1);
	if (!is_version(s) || !hd_utf8_is_text(s) ||
	    hd_str_copy(hint->firmware, sizeof(hint->firmware), s))
		hint->firmware[0] = '\0';
}

/* ---- one for each way to write it; rest is what stands behind the maker's name --------------- */

struct maker {
	const char *says; /* in the agent */
	const char *name; /* of the model */
	bool anywhere;
	void (*read)(struct hd_device_hint *hint, const struct maker *maker, struct hd_slice rest);
};

/* "Yealink SIP-T46U 108.86.0.40", "Grandstream Model HW GXP2135 SW 1.0.7.97 DevId ..." */
static void read_words(struct hd_device_hint *hint, const struct maker *maker, struct hd_slice rest)
{
	struct hd_slice w, model = { 0 };

	while ((w = word(&rest)).len > 0) {
		if (hd_slice_is(w, "Model") || hd_slice_is(w, "HW") || hd_slice_is(w, "SW"))
			continue;
		if (model.len > 0)
			break;
		model = device_begins(w, "SIP-") ? skip(w, 4) : w;
	}
	model_set(hint, maker->name, model);
	firmware_set(hint, w);
}

/* "snomD785/10.1.84.12", "Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 1.1.5-IFX 000413...)" */
static void read_snom(struct hd_device_hint *hint, const struct maker *maker, struct hd_slice rest)
{
	model_set(hint, maker->name, until(rest, "/- ", &rest));
	if (device_begins(rest, "SIP "))
		rest = skip(rest, 4);
	firmware_set(hint, until(rest, " )", NULL));
}

/* "PolycomVVX-VVX_450-UA/6.4.1.2280_482567164887", "FileTransport Polycom... Type/Application" */
static void read_polycom(struct hd_device_hint *hint, const struct maker *maker,
			 struct hd_slice rest)
{
	size_t end = find(rest, "-UA/");
	struct hd_slice model = { rest.ptr, end };

	if (end == rest.len)
		return;
	(void)until(model, "-", &model);
	model_set(hint, maker->name, model);
	firmware_set(hint, until(skip(rest, end + 4), " _", NULL));
}

/* "Cisco/SPA525G-7.4.9a", "Linksys/SPA-942-6.1.5(a) (...)" */
static void read_spa(struct hd_device_hint *hint, const struct maker *maker, struct hd_slice rest)
{
	struct hd_slice all = until(rest, " ", NULL);
	size_t dash = all.len;

	while (dash > 0 && all.ptr[dash - 1] != '-')
		dash--;
	if (dash == 0)
		return;
	model_set(hint, maker->name, (struct hd_slice){ all.ptr, dash - 1 });
	firmware_set(hint, skip(all, dash));
}

/* "Cisco-CP-8865-3PCC/12.0.3_<mac>_...", "COMfortel D-600/1.2", "Gigaset N870 IP PRO/83.V2.11" */
static void read_slash(struct hd_device_hint *hint, const struct maker *maker, struct hd_slice rest)
{
	model_set(hint, maker->name, hd_slice_trim(until(rest, "/", &rest)));
	firmware_set(hint, until(rest, " _;\")", NULL));
}

/* "Mitel6940 MAC:14-00-E9-29-4C-6B V:6.4.0.4006-SIP", "Aastra 6867i/4.5.0.41" */
static void read_mitel(struct hd_device_hint *hint, const struct maker *maker, struct hd_slice rest)
{
	size_t at;

	rest = hd_slice_trim(rest);
	at = find(rest, " V:");
	model_set(hint, maker->name, until(rest, "/ ", NULL));
	if (at == rest.len) {
		(void)until(rest, "/", &rest);
		firmware_set(hint, until(rest, " ", NULL));
		return;
	}
	rest = until(skip(rest, at + 3), " ", NULL);
	rest.len = find(rest, "-SIP");
	firmware_set(hint, rest);
}

static const struct maker makers[] = {
	{ "Yealink ", "yealink", false, read_words },
	{ "Grandstream ", "grandstream", false, read_words },
	{ "Fanvil ", "fanvil", false, read_words },
	{ "Htek ", "htek", false, read_words },
	{ "snom", "snom", true, read_snom },
	{ "Poly", "polycom", true, read_polycom },
	{ "Cisco-CP", "cisco-cp", false, read_slash },
	{ "Cisco/", "cisco", false, read_spa },
	{ "Linksys/", "cisco", false, read_spa },
	{ "Aastra", "aastra", false, read_mitel },
	{ "Mitel", "mitel", false, read_mitel },
	{ "Gigaset ", "gigaset", false, read_slash },
	{ "COMfortel", "comfortel", true, read_slash },
	{ "Auerswald ", "auerswald", false, read_slash },
};

/* "Panasonic_KX-UT670/01.022 (0080...)": the name is its model, and its vendor is none of ours. */
static void read_unknown(struct hd_device_hint *hint, struct hd_slice agent)
{
	struct hd_slice rest, name = until(agent, "/ ", &rest);

	firmware_set(hint, until(rest, " _;", NULL));
	if (hint->firmware[0])
		model_set(hint, "", name);
}

static void vendor_set(struct hd_device_hint *hint)
{
	size_t n;
	const struct hd_vendor *all = hd_vendors(&n);
	const struct hd_vendor *v = hd_vendor_of_model(hint->model);

	hint->vendor = v == &all[n - 1] ? NULL : v;
}

void hd_device_by_agent(struct hd_device_hint *hint, struct hd_slice agent)
{
	size_t i, at;

	memset(hint, 0, sizeof(*hint));
	agent = hd_slice_trim(agent);
	/* Gigaset quotes it on some devices, and leaves its name away. */
	if (agent.len && agent.ptr[0] == '"')
		agent = until(skip(agent, 1), "\"", NULL);
	(void)!hd_device_find_mac(hint->mac, agent);
	for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		at = find(agent, makers[i].says);
		if (at == 0 ? agent.len > 0 : makers[i].anywhere && at < agent.len) {
			makers[i].read(hint, &makers[i], skip(agent, at + strlen(makers[i].says)));
			break;
		}
	}
	if (!hint->model[0] && find(agent, " IP PRO/") < agent.len)
		read_slash(hint, &(const struct maker){ .name = "gigaset" }, agent);
	else if (i == sizeof(makers) / sizeof(makers[0]))
		read_unknown(hint, agent);
	vendor_set(hint);
}

void hd_device_by_file(struct hd_device_hint *hint, struct hd_slice file)
{
	static const struct {
		const char *begins, *vendor;
	} names[] = {
		{ "snom", "snom" },	   { "cfg", "grandstream" },	   { "spa", "cisco-spa" },
		{ "CP-", "cisco-cp" },	   { "y000000000", "yealink" },	   { "f0", "fanvil" },
		{ "aastra.cfg", "mitel" }, { "000000000000.", "polycom" },
	};
	struct hd_slice model;

	memset(hint, 0, sizeof(*hint));
	(void)!hd_device_find_mac(hint->mac, file);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		/* Twelve hex digits may begin with f0, too. */
		if (!device_begins(file, names[i].begins) ||
		    (hint->mac[0] && device_begins(hd_slice_of(hint->mac), names[i].begins)))
			continue;
		hint->vendor = hd_vendor_of_model(names[i].vendor);
		break;
	}
	if (hint->vendor && strcmp(hint->vendor->name, "snom") == 0) {
		model = until(skip(file, 4), "-.", NULL);
		model_set(hint, "snom", model);
	}
}
