/* srtp.c - SRTP by libsrtp2 (RFC 3711), with the keys that SDP brought (RFC 4568). */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "media_priv.h"

enum { WINDOW = 1024 };

_Static_assert(SRTP_ROOM >= SRTP_MAX_TRAILER_LEN - 80, "room for the tag");

struct srtp_pair {
	srtp_t out, in;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static srtp_err_status_t init_status;

static void init(void)
{
	init_status = srtp_init();
}

static int create(srtp_t *session, srtp_ssrc_type_t type, bool tag_32, uint8_t *key)
{
	srtp_policy_t policy;
	srtp_err_status_t status;

	memset(&policy, 0, sizeof(policy));
	if (tag_32)
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
	else
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	policy.ssrc.type = type;
	policy.key = key;
	policy.window_size = WINDOW;
	status = srtp_create(session, &policy);
	return status == srtp_err_status_ok	      ? 0
	       : status == srtp_err_status_alloc_fail ? HD_ENOMEM
						      : HD_ESYSTEM;
}

int srtp_pair_new(struct srtp_pair **pp, const struct hd_srtp_keys *keys)
{
	struct hd_srtp_keys copy = *keys; /* the library's policy is not const */
	struct srtp_pair *p;
	int err;

	(void)pthread_once(&once, init);
	if (init_status != srtp_err_status_ok)
		return HD_ESYSTEM;
	p = calloc(1, sizeof(*p));
	if (!p)
		return HD_ENOMEM;
	err = create(&p->out, ssrc_any_outbound, copy.tag_32, copy.ours);
	if (!err)
		err = create(&p->in, ssrc_any_inbound, copy.tag_32, copy.theirs);
	hd_wipe(&copy, sizeof(copy));
	if (err) {
		srtp_pair_free(p);
		return err;
	}
	*pp = p;
	return 0;
}

void srtp_pair_free(struct srtp_pair *p)
{
	if (!p)
		return;
	if (p->out)
		(void)srtp_dealloc(p->out);
	if (p->in)
		(void)srtp_dealloc(p->in);
	free(p);
}

int srtp_pair_protect(struct srtp_pair *p, uint8_t *packet, size_t *np)
{
	int n = (int)*np;

	if (srtp_protect(p->out, packet, &n) != srtp_err_status_ok)
		return HD_ESYSTEM;
	*np = (size_t)n;
	return 0;
}

int srtp_pair_unprotect(struct srtp_pair *p, uint8_t *packet, size_t *np)
{
	int n = (int)*np;

	if (srtp_unprotect(p->in, packet, &n) != srtp_err_status_ok || n < 0)
		return HD_EACCESS;
	*np = (size_t)n;
	return 0;
}
