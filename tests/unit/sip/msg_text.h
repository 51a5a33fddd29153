/* msg_text.h - messages from text and back, as the parser and the sender see them. */
#ifndef UNIT_SIP_MSG_TEXT_H
#define UNIT_SIP_MSG_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"
#include "sip/sip_priv.h"
#include "sip/sofia_hook_priv.h"

#include <sofia-sip/msg_mclass.h>

#define INVITE_LINE "INVITE sip:201@hotdesk.test SIP/2.0\r\n"
#define COMMON_LINES                                                                               \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport\r\n"                                \
	"Max-Forwards: 70\r\nFrom: \"A\" <sip:101@hotdesk.test>;tag=f\r\n"                         \
	"To: <sip:201@hotdesk.test>\r\nCall-ID: c@192.0.2.1\r\nCSeq: 7 INVITE\r\n"

/** For cmocka: the library parses as it does in the daemon. */
static inline int msg_init(void **state)
{
	(void)state;
	return hd_secret_init() || !hd_hook_in_effect();
}

static inline struct hd_msg *msg_from(const char *text)
{
	msg_t *m = msg_make(sip_default_mclass(), MSG_DO_EXTRACT_COPY, text, (ssize_t)strlen(text));

	assert_non_null(m);
	assert_true(sip_object(m)->sip_request || sip_object(m)->sip_status);
	return msg_wrap(m);
}

/** An INVITE with these lines behind the usual ones. */
static inline struct hd_msg *invite_with(const char *lines)
{
	char text[4096];

	snprintf(text, sizeof(text), INVITE_LINE COMMON_LINES "%sContent-Length: 0\r\n\r\n", lines);
	return msg_from(text);
}

/** What would be sent; to be freed with free(). */
static inline char *msg_text(struct hd_msg *msg)
{
	struct hd_msg *copy = hd_msg_copy(msg);
	msg_iovec_t parts[128];
	struct hd_buf text = { 0 };
	isize_t n;

	assert_non_null(copy);
	assert_true(msg_prepare(msg_of(copy)) > 0);
	n = msg_iovec(msg_of(copy), parts, sizeof(parts) / sizeof(parts[0]));
	for (isize_t i = 0; i < n; i++)
		hd_buf_add(&text, (struct hd_slice){ parts[i].mv_base, parts[i].mv_len });
	hd_msg_free(copy);
	return hd_buf_take(&text);
}

static inline void assert_text_has(struct hd_msg *msg, const char *part)
{
	char *text = msg_text(msg);

	if (!strstr(text, part))
		fail_msg("expected %s in:\n%s", part, text);
	free(text);
}

static inline void assert_text_lacks(struct hd_msg *msg, const char *part)
{
	char *text = msg_text(msg);

	if (strstr(text, part))
		fail_msg("expected no %s in:\n%s", part, text);
	free(text);
}

#define assert_slice_is(s, want)                                                                   \
	do {                                                                                       \
		struct hd_slice slice_ = (s);                                                      \
		if (!hd_slice_is(slice_, want))                                                    \
			fail_msg("expected %s, got %.*s", want, (int)slice_.len,                   \
				 slice_.ptr ? slice_.ptr : "");                                    \
	} while (0)

#endif
