/*
 * render_all.c - writes what a phone of each vendor gets when it is free, occupied and closed, for
 * test_golden.py.
 *
 *	render_all TEMPLATES FOLDER [nasty]
 *
 * The files are FOLDER/VENDOR.STATE.KIND. With "nasty" every name is one that breaks out of a
 * careless template. The secret of the URL, which is random, is written as TOKEN.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/render.h"

#define CHECK(expr)                                                                                \
	do {                                                                                       \
		int check_err = (expr);                                                            \
		if (check_err) {                                                                   \
			(void)fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #expr,        \
				      hd_strerror(check_err));                                     \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static const char *const states[] = { "free", "occupied", "closed" };
static const char *const emergency[] = { "112", "110", "911" };

/* 128 bytes, a character of four at the end. */
#define LONG                                                                                       \
	"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789"                 \
	"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijkl\xf0\x9f\x98\x80"

struct people {
	const char *user, *owner, *label, *key, *value;
};
static const struct people plain = { "Anna Berg", "Clara M\xc3\xbcller", "Desk 101", "Reception",
				     "sip:300@hotdesk.example" };
static const struct people nasty = {
	"\"><x a='&{{account.secret}};=\xc3\xa4\xf0\x9f\x98\x80",
	"]]><!--&amp;<?x?>%NULL%\\n\\r",
	LONG,
	"a;ext=*;<b>'\"&=#%0a",
	"sip:300@else.example;fnc=mp;ext=900?x=y&z=1",
};

struct world {
	const struct people *people;
	struct hd_store *store;
	struct hd_renderer r;
	struct hd_render_values values;
	struct hd_templates *templates;
	const struct hd_vendor *vendor;
	int state;
	struct hd_phone phone;
};

static void world_open(struct world *w, const char *folder)
{
	const struct hd_store_options options = { 0 };
	struct hd_buf errors = { 0 };
	struct hd_key master;

	memset(&master, 7, sizeof(master));
	CHECK(hd_secret_init());
	CHECK(hd_store_open_mem(&w->store, &options));
	CHECK(hd_directory_new(&w->r.dir, w->store));
	CHECK(hd_device_new(&w->r.device, w->store, &master));
	CHECK(hd_desk_new(&w->r.desk, w->store, w->r.dir));
	if (hd_templates_load(&w->templates, NULL, folder, &errors)) {
		(void)fputs(hd_buf_text(&errors), stderr);
		exit(1);
	}
	w->values = (struct hd_render_values){
		.domain = "hotdesk.example",
		.server = "192.0.2.1",
		.port = 5060,
		.transport = "tcp",
		.url = "https://hotdesk.example:8443/p",
		.expires_s = 3600,
		.login_form = true,
		.codes = { "*771", "*772", "*770", .user = { [HD_USER_CODE_PICKUP] = "*8" } },
		.login_key = HD_LOGIN_KEY_VENDOR,
		.language = "en",
		.ntp = "ntp.hotdesk.example",
		.emergency = emergency,
		.n_emergency = 3,
	};
	CHECK(hd_timezone_parse(&w->values.zone, "CET-1CEST,M3.5.0,M10.5.0/3"));
	CHECK(hd_str_set(w->values.zone.name, sizeof(w->values.zone.name), "Europe/Berlin"));
	w->r.templates = w->templates;
	w->r.values = &w->values;
}

static void world_close(struct world *w)
{
	hd_templates_free(w->templates);
	hd_desk_free(w->r.desk);
	hd_device_free(w->r.device);
	hd_directory_free(w->r.dir);
	hd_store_close(w->store);
}

static struct hd_phone_key key_of(uint8_t place, enum hd_phone_key_type type, const char *label,
				  const char *value)
{
	struct hd_phone_key key = { .place = place, .type = type };

	CHECK(hd_str_set(key.label, sizeof(key.label), label));
	CHECK(hd_str_set(key.value, sizeof(key.value), value));
	return key;
}

static int people_write(struct hd_txn *txn, void *arg)
{
	struct world *w = arg;
	struct hd_user user = { .number = "201", .roaming = true, .language = "de" };
	struct hd_phone_key keys[4];

	CHECK(hd_str_set(user.name, sizeof(user.name), w->people->user));
	CHECK(hd_user_put(w->r.dir, txn, &user));
	user.language[0] = '\0';
	CHECK(hd_str_set(user.number, sizeof(user.number), "205"));
	CHECK(hd_str_set(user.name, sizeof(user.name), w->people->owner));
	CHECK(hd_user_put(w->r.dir, txn, &user));
	keys[0] = key_of(5, HD_PHONE_KEY_BLF, "Ben", "202");
	keys[1] = key_of(0, HD_PHONE_KEY_SPEED_DIAL, w->people->key, w->people->value);
	keys[2] = key_of(0, HD_PHONE_KEY_URL, "", "https://wiki.example/?a=1&b=2");
	keys[3] = key_of(0, HD_PHONE_KEY_CALL_LIST, "", "missed");
	CHECK(hd_device_keys_put(w->r.device, txn, 'u', "201", keys, 4));
	return 0;
}

/* One phone of the vendor, in the state; what was there before is gone. */
static int phone_write(struct hd_txn *txn, void *arg)
{
	struct world *w = arg;
	struct hd_desk_request login = {
		.desk = w->r.desk,
		.event = HD_DESK_EVENT_LOGIN,
		.way = HD_DESK_WAY_ADMIN,
		.phone = "desk-101",
		.user = "201",
		.by_admin = true,
		.now_ms = 1,
	};
	struct hd_phone_key key = key_of(3, HD_PHONE_KEY_SPEED_DIAL, w->people->key, "100");
	struct hd_phone *phone = &w->phone;

	CHECK(hd_desk_end_phone(w->r.desk, txn, "desk-101", 1, HD_DESK_WAY_ADMIN));
	memset(phone, 0, sizeof(*phone));
	CHECK(hd_str_set(phone->id, sizeof(phone->id), "desk-101"));
	CHECK(hd_str_set(phone->label, sizeof(phone->label), w->people->label));
	CHECK(hd_str_set(phone->mac, sizeof(phone->mac), "0004130000ab"));
	CHECK(hd_str_set(phone->model, sizeof(phone->model), w->vendor->name));
	CHECK(hd_str_set(phone->owner, sizeof(phone->owner), w->state == 2 ? "205" : ""));
	hd_phone_set_secret(phone, "hotdesk.example", hd_slice_of("s3cret&\"<'=;#"));
	CHECK(hd_phone_put(w->r.dir, txn, phone));
	CHECK(hd_device_enroll(w->r.device, txn, "desk-101"));
	CHECK(hd_device_secret_put(w->r.device, txn, "desk-101", hd_slice_of("s3cret&\"<'=;#")));
	CHECK(hd_device_keys_put(w->r.device, txn, 'p', "desk-101", &key, 1));
	if (w->state != 1)
		return 0;
	CHECK(hd_desk_apply(txn, &login));
	return hd_desk_result_is_success(login.result) ? 0 : HD_ESTATE;
}

static void file_write(const struct world *w, const char *folder, const char *kind,
		       const char *body, const char *token)
{
	char path[1024];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s.%s.%s", folder, w->vendor->name, states[w->state],
		       kind);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(1);
	}
	for (const char *p = body, *at; *p; p = at) {
		at = token[0] ? strstr(p, token) : NULL;
		if (!at)
			at = p + strlen(p);
		(void)fwrite(p, 1, (size_t)(at - p), f);
		if (*at) {
			(void)fputs("TOKEN", f);
			at += strlen(token);
		}
	}
	if (fclose(f))
		exit(1);
}

static void phone_render(struct world *w, const char *folder)
{
	static const struct {
		enum hd_vendor_file kind;
		const char *name;
	} kinds[] = {
		{ HD_VENDOR_FILE_MAIN, "main" },
		{ HD_VENDOR_FILE_INDEX, "index" },
		{ HD_VENDOR_FILE_PATCH, "patch" },
	};
	struct hd_provision_file file;
	char token[HD_TOKEN_SIZE];
	struct hd_txn *txn;
	int err;

	CHECK(hd_store_begin_read(w->store, &txn));
	CHECK(hd_device_token(w->r.device, txn, "desk-101", token));
	for (size_t i = 0; i < 3; i++) {
		err = hd_provision_render(&w->r, txn, &w->phone, kinds[i].kind, &file);
		if (err == HD_ENOENT && kinds[i].kind != HD_VENDOR_FILE_MAIN)
			continue;
		CHECK(err);
		file_write(w, folder, kinds[i].name, hd_buf_text(&file.body), token);
		hd_provision_file_fini(&file);
	}
	hd_store_end_read(txn);
}

int main(int argc, char **argv)
{
	struct world w = { .people = argc > 3 ? &nasty : &plain };
	const struct hd_vendor *vendors;
	size_t n;

	if (argc < 3) {
		(void)fputs("usage: render_all TEMPLATES FOLDER [nasty]\n", stderr);
		return 2;
	}
	world_open(&w, argv[1]);
	CHECK(hd_store_execute(w.store, people_write, &w));
	vendors = hd_vendors(&n);
	for (size_t i = 0; i < n; i++) {
		w.vendor = &vendors[i];
		for (w.state = 0; w.state < 3; w.state++) {
			CHECK(hd_store_execute(w.store, phone_write, &w));
			phone_render(&w, argv[2]);
		}
	}
	world_close(&w);
	return 0;
}
