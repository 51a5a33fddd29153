/* render.c - one file of one phone out of a snapshot; see render.h. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "templates.h"
#include "view.h"

#define MASK "********"

/* What is read for one phone; large, so on the heap. */
struct reading {
	struct hd_user user, owner;
	struct hd_phone_key phone_keys[HD_PHONE_KEYS_MAX], user_keys[HD_PHONE_KEYS_MAX];
	char secret[HD_SIP_SECRET_SIZE], token[HD_TOKEN_SIZE];
	struct view_input input;
};

/* A damaged record of a user costs the name, not the phone's configuration. */
static int user_read(const struct hd_renderer *r, struct hd_txn *txn, const char *number,
		     struct hd_user *user, const struct hd_user **userp)
{
	int err = hd_user_get(r->dir, txn, number, user);

	*userp = err ? NULL : user;
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}

static int people_read(const struct hd_renderer *r, struct hd_txn *txn, const char *phone,
		       const char *owner, struct reading *reading)
{
	struct hd_desk_session session;
	int err;

	err = hd_desk_get_by_phone(r->desk, txn, phone, &session);
	if (!err)
		err = user_read(r, txn, session.user, &reading->user, &reading->input.user);
	if ((!err || err == HD_ENOENT) && owner[0])
		err = user_read(r, txn, owner, &reading->owner, &reading->input.owner);
	return err == HD_ENOENT ? 0 : err;
}

/* @param np in: how many there are before, out: with them */
static int keys_add(const struct hd_renderer *r, struct hd_txn *txn, char kind, const char *name,
		    struct hd_phone_key *keys, size_t *np)
{
	struct hd_phone_key more[HD_PHONE_KEYS_MAX];
	size_t n = HD_PHONE_KEYS_MAX;
	int err;

	err = hd_device_keys_get(r->device, txn, kind, name, more, &n);
	if (err == HD_ECORRUPT) {
		/* hotdeskctl check names it; the phone goes on without. */
		hd_warn("provision", "%s: damaged keys are left out", name);
		return 0;
	}
	for (size_t i = 0; !err && i < n && *np < HD_PHONE_KEYS_MAX; i++)
		keys[(*np)++] = more[i];
	return err;
}

/* The SIP secret, when the file is one that has it, and the secret of its URL. */
static int secrets_read(const struct hd_renderer *r, struct hd_txn *txn, const char *phone,
			bool masked, bool optional, struct reading *reading)
{
	int err;

	err = hd_device_token(r->device, txn, phone, reading->token);
	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;
	if (err)
		reading->token[0] = '\0';
	else if (masked)
		memcpy(reading->token, MASK, sizeof(MASK));
	if (masked) {
		memcpy(reading->secret, MASK, sizeof(MASK));
		return 0;
	}
	err = hd_device_secret_get(r->device, txn, phone, reading->secret);
	if (err && optional) {
		reading->secret[0] = '\0';
		return 0;
	}
	return err == HD_ENOENT ? HD_ESTATE : err;
}

static int reading_fill(const struct hd_renderer *r, struct hd_txn *txn,
			const struct hd_phone *phone, struct reading *reading)
{
	struct view_input *in = &reading->input;
	int err;

	in->values = r->values;
	in->phone = phone;
	in->secret = reading->secret;
	in->token = reading->token;
	in->phone_keys = reading->phone_keys;
	in->user_keys = reading->user_keys;
	err = hd_device_vendor(r->device, txn, phone, &in->vendor);
	if (err == HD_ECORRUPT)
		err = 0;
	if (!err)
		err = people_read(r, txn, phone->id, phone->owner, reading);
	if (!err)
		err = keys_add(r, txn, 'p', phone->id, reading->phone_keys, &in->n_phone_keys);
	/* What the administrator gave comes first, and keeps its place. */
	if (!err && in->user)
		err = keys_add(r, txn, 'u', in->user->number, reading->user_keys, &in->n_user_keys);
	if (!err && in->user)
		err = keys_add(r, txn, 'o', in->user->number, reading->user_keys, &in->n_user_keys);
	return err;
}

static const char *type_of(const struct hd_vendor *vendor, enum hd_vendor_file kind)
{
	return kind == HD_VENDOR_FILE_PATCH ? vendor->patch_type : vendor->type;
}

/* The whole room at once: what grows leaves copies of secrets behind. */
static int body_reserve(struct hd_buf *body)
{
	body->data = malloc(TEMPLATES_OUTPUT_MAX + HD_TEMPLATE_MAX_BYTES);
	if (!body->data)
		return HD_ENOMEM;
	body->size = TEMPLATES_OUTPUT_MAX + HD_TEMPLATE_MAX_BYTES;
	body->data[0] = '\0';
	return 0;
}

static int view_render(const struct hd_renderer *r, const struct reading *reading,
		       enum hd_vendor_file kind, struct hd_buf *body)
{
	struct hd_buf errors = { 0 };
	struct hd_view *view = NULL;
	int err;

	err = hd_view_new(&view);
	if (!err)
		err = view_fill(view, &reading->input, false);
	if (!err)
		err = body_reserve(body);
	if (!err)
		err = templates_render(r->templates, reading->input.vendor, kind, view, body,
				       &errors);
	if (errors.len)
		hd_error("provision", "%s: not rendered: %s", reading->input.phone->id,
			 hd_buf_text(&errors));
	hd_buf_fini(&errors);
	hd_view_free(view);
	return err;
}

static int render(const struct hd_renderer *r, struct hd_txn *txn, const struct hd_phone *phone,
		  enum hd_vendor_file kind, bool masked, struct hd_provision_file *file)
{
	struct reading *reading;
	int err;

	if (!r || !txn || !phone || !file)
		return HD_EINVAL;
	memset(file, 0, sizeof(*file));
	reading = calloc(1, sizeof(*reading));
	if (!reading)
		return HD_ENOMEM;
	err = reading_fill(r, txn, phone, reading);
	if (!err)
		err = secrets_read(r, txn, phone->id, masked, kind != HD_VENDOR_FILE_MAIN, reading);
	if (!err)
		err = view_render(r, reading, kind, &file->body);
	if (err)
		hd_provision_file_fini(file);
	else
		file->type = type_of(reading->input.vendor, kind);
	hd_wipe(reading, sizeof(*reading));
	free(reading);
	return err;
}

int hd_provision_render(void *renderer, struct hd_txn *txn, const struct hd_phone *phone,
			enum hd_vendor_file kind, struct hd_provision_file *file)
{
	return render(renderer, txn, phone, kind, false, file);
}

int hd_provision_show(const struct hd_renderer *renderer, struct hd_txn *txn,
		      const struct hd_phone *phone, enum hd_vendor_file kind, bool secrets,
		      struct hd_provision_file *file)
{
	return render(renderer, txn, phone, kind, !secrets, file);
}

const char *hd_provision_why(int err)
{
	if (err == HD_ESTATE)
		return "its SIP secret is not kept: give it a model (or set "
		       "provision.keep_secrets),"
		       " then its secret once more";
	if (err == HD_ENOENT)
		return "its vendor has no such file";
	if (err == HD_EACCESS)
		return "its SIP secret was sealed with another key: give it once more";
	return hd_strerror(err);
}

void hd_provision_file_fini(struct hd_provision_file *file)
{
	if (!file)
		return;
	if (file->body.data)
		hd_wipe(file->body.data, file->body.len);
	hd_buf_fini(&file->body);
	file->type = NULL;
}
