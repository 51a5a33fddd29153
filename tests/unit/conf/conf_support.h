/* conf_support.h - what the tests of conf/ share. */
#ifndef CONF_SUPPORT_H
#define CONF_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_priv.h"
#include "hotdesk/conf.h"

/* A text that must be refused, and all that must be said about it. */
struct refused {
	const char *text, *errors;
};

/* Loads a text that must be good. */
static inline struct hd_conf *load_good(const char *text)
{
	struct hd_buf errors = { 0 };
	struct hd_conf *conf = NULL;
	int err = hd_conf_parse(&conf, hd_slice_of(text), "t.yaml", &errors);

	if (err)
		print_error("refused:\n%s\nwith\n%s", text, hd_buf_text(&errors));
	assert_int_equal(err, 0);
	assert_string_equal(hd_buf_text(&errors), "");
	assert_non_null(conf);
	hd_buf_fini(&errors);
	return conf;
}

/* The file of the tree, read whole; to be released with free(). */
static inline char *read_source(const char *path)
{
	const char *root = getenv("HD_SOURCE");
	char name[4096];
	char *data = NULL, *text;
	size_t len = 0;

	snprintf(name, sizeof(name), "%s/%s", root ? root : "../../..", path);
	if (hd_file_read(&data, &len, name, 1 << 20))
		fail_msg("%s cannot be read", name);
	text = calloc(1, len + 1);
	assert_non_null(text);
	memcpy(text, data, len);
	free(data);
	return text;
}

#endif
