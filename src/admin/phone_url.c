/* phone_url.c - where a phone gets its configuration, and how it is to be told. */
#include <string.h>

#include "admin_priv.h"

/* "https://host:port/path" to what stands in option 66 and what in 67. */
static void split(char *host, const char **pathp, const char *url)
{
	const char *begin = strstr(url, "://");
	const char *path = begin ? strchr(begin + 3, '/') : NULL;
	size_t len = path ? (size_t)(path - url) : strlen(url);

	memcpy(host, url, len);
	host[len] = '\0';
	*pathp = path ? path + 1 : "";
}

static void option_show(struct hd_json *j, unsigned option, unsigned sub, const char *value)
{
	hd_json_object(j, NULL);
	hd_json_uint(j, "option", option);
	if (sub)
		hd_json_uint(j, "suboption", sub);
	else
		hd_json_null(j, "suboption");
	hd_json_str(j, "value", value);
	hd_json_object_end(j);
}

static void options_show(struct hd_json *j, const char *key, const struct hd_vendor *vendor,
			 const char *url)
{
	char host[HD_URL_SIZE];
	const char *path;

	hd_json_array(j, key);
	for (const struct hd_vendor_dhcp *d = vendor->dhcp; d->option; d++) {
		split(host, &path, url);
		option_show(j, d->option, d->sub, d->split ? host : url);
		if (d->split)
			option_show(j, 67, 0, path);
	}
	hd_json_array_end(j);
}

/* What it asks for in the end: with the name of its file. */
static int full_show(struct hd_json *j, const char *base, const char *token,
		     const struct hd_vendor *vendor, const char *mac)
{
	const char *const *files = vendor->index_files ? vendor->index_files : vendor->files;
	char file[HD_MODEL_SIZE];
	struct hd_buf url = { 0 };
	size_t len = strlen(base);
	int err;

	while (len > 0 && base[len - 1] == '/')
		len--;
	if (hd_vendor_file_name(file, sizeof(file), files, mac))
		file[0] = '\0';
	hd_buf_addf(&url, "%.*s/%s/%s", (int)len, base, token, file);
	err = hd_buf_error(&url);
	hd_json_str(j, "url", hd_buf_text(&url));
	hd_buf_fini(&url);
	return err;
}

static int url_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn, const char *id)
{
	const char *base = admin->o.policies.url;
	const struct hd_vendor *vendor = hd_vendor_of_model("");
	char token[HD_TOKEN_SIZE], url[HD_URL_SIZE];
	struct hd_phone phone;
	int err;

	err = hd_phone_get(admin->o.directory, txn, id, &phone);
	if (!err)
		err = base[0] ? 0 : HD_ESTATE;
	if (!err)
		err = hd_device_token(admin->o.device, txn, id, token);
	if (err)
		return err;
	/* What was seen may be damaged: then the vendor is the directory's. */
	if (hd_device_vendor(admin->o.device, txn, &phone, &vendor))
		vendor = hd_vendor_of_model(phone.model);
	hd_json_object(j, NULL);
	err = full_show(j, base, token, vendor, phone.mac);
	hd_json_str(j, "vendor", vendor->name);
	if (!err)
		err = hd_vendor_url(url, vendor, base, token, phone.mac);
	hd_json_str(j, "pnp", url);
	options_show(j, "dhcp", vendor, url);
	if (!err)
		err = hd_vendor_url(url, vendor, base, "", "");
	options_show(j, "dhcp_all", vendor, url);
	hd_json_object_end(j);
	hd_wipe(token, sizeof(token));
	return err;
}

void phone_url(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;

	if (admin->o.policies.url[0])
		whole_answer(req, arg, "phone", url_show);
	else
		hd_http_refuse(req, 409, "not-served",
			       "no configuration is served: provision.listen is empty");
}
