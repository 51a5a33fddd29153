/* phone_render.c - what a phone would get, to be looked at before it does. */
#include <string.h>

#include "admin_priv.h"
#include "hotdesk/base/log.h"

/* "main", "index", "patch", or a name that the phone may ask for. */
static enum hd_vendor_file kind_of(const struct hd_vendor *vendor, const char *mac,
				   const char *file)
{
	if (!file || strcmp(file, "main") == 0)
		return HD_VENDOR_FILE_MAIN;
	if (strcmp(file, "index") == 0)
		return HD_VENDOR_FILE_INDEX;
	if (strcmp(file, "patch") == 0)
		return HD_VENDOR_FILE_PATCH;
	return hd_vendor_file_of(vendor, mac, hd_slice_of(file));
}

static const char *name_of(char *dst, size_t size, const struct hd_vendor *vendor, const char *mac,
			   enum hd_vendor_file kind)
{
	const char *const *patterns = kind == HD_VENDOR_FILE_MAIN    ? vendor->files
				      : kind == HD_VENDOR_FILE_INDEX ? vendor->index_files
								     : vendor->patch_files;

	return hd_vendor_file_name(dst, size, patterns, mac) ? NULL : dst;
}

static void answer(struct hd_http_request *req, const struct hd_phone *phone,
		   const struct hd_vendor *vendor, const struct hd_admin_render *show)
{
	char name[128];
	struct hd_buf b = { 0 };
	struct hd_json j;

	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "phone", phone->id);
	hd_json_str(&j, "vendor", vendor->name);
	hd_json_str(&j, "file", name_of(name, sizeof(name), vendor, phone->mac, show->kind));
	hd_json_str(&j, "type", show->type);
	hd_json_str(&j, "text", hd_buf_text(&show->body));
	hd_json_object_end(&j);
	hd_http_answer_json(req, 200, &b);
}

static int render(struct hd_admin *admin, struct hd_txn *txn, const struct hd_phone *phone,
		  const struct hd_vendor *vendor, const char *file, struct hd_admin_render *show)
{
	show->kind = kind_of(vendor, phone->mac, file);
	if (show->kind == HD_VENDOR_FILE_NONE || show->kind == HD_VENDOR_FILE_OPTIONAL) {
		show->why = "phones of its vendor get no such file";
		return HD_ENOENT;
	}
	return admin->o.render(admin->o.arg, txn, phone, show);
}

static void show_phone_file(struct hd_http_request *req, struct hd_admin *admin, struct hd_txn *txn,
			    const char *id)
{
	const char *secrets = hd_http_query(req, "secrets");
	struct hd_admin_render show = { .secrets = secrets && strcmp(secrets, "yes") == 0 };
	const struct hd_vendor *vendor = NULL;
	struct hd_phone phone;
	int err;

	err = hd_phone_get(admin->o.directory, txn, id, &phone);
	/* What was seen may be damaged: the vendor is then by the directory's model. */
	if (!err)
		err = hd_device_vendor(admin->o.device, txn, &phone, &vendor);
	if (!vendor || (err && err != HD_ECORRUPT)) {
		hd_http_answer_error(req, err, "phone %s: %s", id, hd_strerror(err));
		return;
	}
	err = render(admin, txn, &phone, vendor, hd_http_query(req, "file"), &show);
	if (!err && show.secrets)
		hd_notice("admin", "phone %s: configuration shown with its secrets, %s", phone.id,
			  hd_http_peer_get(req)->text);
	if (err)
		hd_http_answer_error(req, err, "phone %s: %s", id,
				     show.why ? show.why : hd_strerror(err));
	else
		answer(req, &phone, vendor, &show);
	if (show.body.data)
		hd_wipe(show.body.data, show.body.len);
	hd_buf_fini(&show.body);
}

void phone_render(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	struct hd_txn *txn;

	if (!admin->o.render) {
		hd_http_refuse(req, 501, "unsupported", "there is no provisioning here");
		return;
	}
	txn = read_begin(admin, req);
	if (!txn)
		return;
	show_phone_file(req, admin, txn, hd_http_param(req, 0));
	hd_store_end_read(txn);
}
