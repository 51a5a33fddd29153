/* digest_phone.h - a phone that answers challenges, rightly or not, and whom it asks. */
#ifndef DIGEST_PHONE_H
#define DIGEST_PHONE_H

#include "hotdesk/digest.h"

#define REALM "hotdesk.local"
#define SOURCE "192.0.2.1"
#define URI "sip:hotdesk.local"

enum { VALUE_SIZE = 1024, NONCE_SIZE = 64 };

extern struct hd_fake_clock phone_clock;
extern struct hd_digest_result phone_result; /* of the last check */
extern int phone_lookup_error;		     /* what the look-up returns, unless 0 */
extern unsigned phone_lookups;

/** An answer as a phone makes it; a field that is NULL is left out of the header. */
struct answer {
	const char *username, *realm, *nonce, *uri, *algorithm, *qop, *nc, *cnonce;
	const char *password;
	const char *method;
	const char *extra;    /* ",x=y" */
	const char *response; /* instead of the right one; "-" leaves it out */
};

/** Before each test: a clock, a key, no errors. */
int phone_setup(void **state);
struct hd_digest_options phone_options(void);
struct hd_digest *phone_digest(void);
/** Knows desk-101 with the password "secret", and "empty" without a hash. */
int phone_lookup(void *arg, const char *username, enum hd_digest_algorithm algorithm,
		 char ha1[HD_DIGEST_HA1_SIZE]);
/** The right answer: MD5, REGISTER, count 1. */
struct answer phone_answer(const char *nonce);
void phone_answer_write(char value[VALUE_SIZE], const struct answer *a);
/** The nonce of the i-th challenge. */
void phone_nonce(char nonce[NONCE_SIZE], const struct hd_digest *d, size_t i, const char *source);
/** Of every request that is made. */
extern const char *phone_branch;
struct hd_digest_request phone_request(const struct hd_slice *values, size_t n);
enum hd_digest_verdict phone_check_text(struct hd_digest *d, const char *text);
enum hd_digest_verdict phone_check(struct hd_digest *d, const struct answer *a);
enum hd_digest_verdict phone_check_as(struct hd_digest *d, const struct answer *a,
				      const char *call_id, uint32_t cseq);
void assert_verdict(const char *what, enum hd_digest_verdict got, enum hd_digest_verdict want);

#endif
