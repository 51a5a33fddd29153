/* conf.c - see conf.h: loading and releasing hotdeskd.yaml. */
#include "conf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"

/* ---- places of keys -------------------------------------------------------------------------- */

static char **text_at(struct hd_conf_raw *raw, size_t offset)
{
	return (char **)(void *)((char *)raw + offset);
}

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		free(list[i]);
	free(list);
}

static void free_levels(struct hd_conf_log *log)
{
	for (size_t i = 0; log->subsystems && i < log->n_subsystems; i++)
		free(log->subsystems[i].subsystem);
	free(log->subsystems);
}

static void raw_free_contents(struct hd_conf_raw *raw)
{
	for (size_t i = 0; i < hd_n_keys; i++) {
		const struct hd_key_info *key = &hd_keys[i];
		size_t n;

		switch (key->type) {
		case HD_KEY_TEXT:
		case HD_KEY_PATH:
			free(*text_at(raw, key->offset));
			break;
		case HD_KEY_LIST:
			memcpy(&n, (char *)raw + key->count_offset, sizeof(n));
			free_list(*(char ***)(void *)((char *)raw + key->offset), n);
			break;
		case HD_KEY_LEVELS:
			free_levels(&raw->conf.log);
			break;
		default:
			break;
		}
	}
	free(raw->conf.sip.listen);
	free(raw->conf.provision.listen);
}

/* conf is the first member of what was allocated, see hd_conf_raw. */
void hd_conf_free(struct hd_conf *conf)
{
	struct hd_conf_raw *raw = (struct hd_conf_raw *)(void *)conf;

	if (!raw)
		return;
	raw_free_contents(raw);
	free(raw);
}

/* ---- from texts to their types --------------------------------------------------------------- */

/* 660 and 0660 are one mode: written alike, so that hd_conf_diff() sees it. */
static int finish_mode(struct hd_conf_raw *raw)
{
	const size_t size = sizeof("0660");
	unsigned long mode = strtoul(raw->socket_mode, NULL, 8);
	char *text = malloc(size);

	if (!text)
		return HD_ENOMEM;
	snprintf(text, size, "%04lo", mode & 0777);
	free(raw->socket_mode);
	raw->socket_mode = text;
	raw->conf.admin.socket_mode = (uint32_t)mode;
	return 0;
}

static int finish_listen(struct hd_listen **listenp, size_t *np, char *const *texts, size_t n)
{
	struct hd_listen *listen = calloc(n ? n : 1, sizeof(*listen));
	int err = listen ? 0 : HD_ENOMEM;

	for (size_t i = 0; !err && i < n; i++)
		err = hd_listen_parse(&listen[i], hd_slice_of(texts[i]));
	*listenp = listen;
	*np = n;
	return err;
}

static int finish_paths(struct hd_conf_raw *raw, const char *folder)
{
	for (size_t i = 0; i < hd_n_keys; i++) {
		char **textp = text_at(raw, hd_keys[i].offset), *path;

		if (hd_keys[i].type != HD_KEY_PATH || !*textp)
			continue;
		path = hd_path_resolve(folder, hd_slice_of(*textp));
		if (!path)
			return HD_ENOMEM;
		free(*textp);
		*textp = path;
	}
	return 0;
}

static int finish(struct hd_conf_raw *raw, const char *folder)
{
	struct hd_conf *conf = &raw->conf;
	int err;

	if (!conf->sip.realm)
		conf->sip.realm = strdup(conf->sip.domain);
	if (!conf->sip.realm)
		return HD_ENOMEM;
	conf->auth.md5 = raw->algorithms & HD_ALGORITHM_MD5;
	conf->auth.sha256 = raw->algorithms & HD_ALGORITHM_SHA256;
	conf->desk.refuse_occupied = raw->occupied != 0;
	err = finish_mode(raw);
	if (!err)
		err = finish_listen(&conf->sip.listen, &conf->sip.n_listen, raw->listen,
				    raw->n_listen);
	if (!err)
		err = finish_listen(&conf->provision.listen, &conf->provision.n_listen,
				    raw->http_listen, raw->n_http_listen);
	if (err)
		return err;
	return finish_paths(raw, folder);
}

/* ---- loading --------------------------------------------------------------------------------- */

static int build(struct hd_conf **confp, const struct hd_checked *checked, const char *folder,
		 const char *name)
{
	struct hd_buf text = { 0 };
	struct hd_conf_raw *raw = NULL;
	int err;

	hd_canon_write(&text, checked);
	err = hd_buf_error(&text);
	if (!err)
		err = hd_canon_load(&raw, hd_buf_text(&text), name);
	hd_buf_fini(&text);
	if (err)
		return err;
	err = finish(raw, folder);
	if (err)
		hd_conf_free(&raw->conf);
	else
		*confp = &raw->conf;
	return err;
}

int hd_conf_parse(struct hd_conf **confp, struct hd_slice text, const char *name,
		  struct hd_buf *errors)
{
	struct hd_report report = { .out = errors, .name = name };
	struct hd_tree tree = { 0 };
	struct hd_checked *checked = NULL;
	char *folder = NULL;
	int err;

	if (!confp || !name || !errors || (!text.ptr && text.len))
		return HD_EINVAL;
	if (text.len > HD_CONF_BYTES_MAX) {
		hd_report_add(&report, 1, "%zu bytes, expected at most %d", text.len,
			      HD_CONF_BYTES_MAX);
		return HD_EPARSE;
	}
	err = hd_tree_parse(&tree, text, HD_CONF_NODES_MAX, &report);
	if (err)
		goto out;
	folder = hd_path_folder(name);
	checked = calloc(1, sizeof(*checked));
	err = folder && checked ? 0 : HD_ENOMEM;
	if (err)
		goto out;
	hd_check_keys(checked, &tree, &report);
	hd_check_rules(checked, folder, &report);
	err = hd_report_end(&report);
	if (!err)
		err = build(confp, checked, folder, name);
out:
	hd_tree_fini(&tree);
	free(checked);
	free(folder);
	return err;
}

int hd_conf_load(struct hd_conf **confp, const char *path, struct hd_buf *errors)
{
	char *data;
	size_t len;
	int err;

	if (!confp || !path || !errors)
		return HD_EINVAL;
	err = hd_file_read(&data, &len, path, HD_CONF_BYTES_MAX);
	if (err == HD_ESYSTEM)
		hd_buf_addf(errors, "%s: cannot be read: %s\n", path, strerror(errno));
	if (err == HD_ELIMIT) {
		hd_buf_addf(errors, "%s:1: too big, expected at most %d bytes\n", path,
			    HD_CONF_BYTES_MAX);
		err = HD_EPARSE;
	}
	if (err)
		return err;
	err = hd_conf_parse(confp, (struct hd_slice){ data, len }, path, errors);
	free(data);
	return err;
}
