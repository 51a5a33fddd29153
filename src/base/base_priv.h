/*
 * base_priv.h - what the files of base/ (and their tests) share with one another and nobody else.
 */
#ifndef BASE_PRIV_H
#define BASE_PRIV_H

#include <pthread.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/base/str.h"

/* ---- codec.c ---- */

/** Value of one hexadecimal digit, -1 when it is none. */
int hd_hex_value(char c);

/* ---- digest.c ---- */

/** Part of hd_secret_init(). @return 0 or HD_ESYSTEM */
HD_MUSTCHECK int hd_digest_init(void);
/** Without OpenSSL: what is used when it has no memory. The same results. */
void hd_sha256_sodium(uint8_t out[HD_SHA256_BYTES], const struct hd_slice *parts, size_t n);
void hd_hmac_sha256_sodium(uint8_t out[HD_SHA256_BYTES], const struct hd_key *key,
			   const struct hd_slice *parts, size_t n);

/* ---- uri.c ---- */

/** Takes the next NAME[=VALUE] off *restp; items without a name are passed over. */
bool hd_uri_item_next(struct hd_slice *restp, char separator, struct hd_slice *namep,
		      struct hd_slice *valuep);

/* ---- crc32c.c ---- */

/** The portable way, for processors without the instruction; same result as hd_crc32c(). */
uint32_t hd_crc32c_table(const void *data, size_t n);

/* ---- log_text.c: what goes into a line ---- */

enum {
	HD_LOG_RAW_MAX = 2048,	/* formatted text; longer is cut */
	HD_LOG_LINE_MAX = 4000, /* finished text; with its priority below PIPE_BUF, so one write */
};

/** Overwrites the PIN of every *CODE*NUMBER*PIN (also %2A, %HH digits) in place. @return length */
size_t hd_log_mask(char *text, size_t len);
/**
 * Appends src to dst[*lenp..size), with control bytes, double quotes and broken UTF-8 as \xHH; what
 * does not fit is left out. dst stays terminated.
 */
void hd_log_escape(char *dst, size_t size, size_t *lenp, struct hd_slice src, bool spaces);

/* ---- log_write.c: where a line goes ---- */

/** One finished line. */
struct hd_log_line {
	enum hd_log_level level;
	const char *subsystem; /* NULL: none */
	const char *call_id;   /* escaped; NULL: none */
	const char *text;
};

/** Everything that writing needs; one of them, in log.c. */
struct hd_log_output {
	pthread_mutex_t lock;
	enum hd_log_format format;
	bool native;		  /* decided: journal protocol */
	bool is_socket;		  /* decided: stderr */
	bool decided;		  /* both are valid for format */
	bool stalled;		  /* the reader of stderr did not read: do not wait for it again */
	uint64_t lost;		  /* lines since then */
	int journal_fd;		  /* -1: not open */
	const char *journal_path; /* NULL: systemd's */
};

void hd_log_output_write(struct hd_log_output *out, const struct hd_log_line *line);
/** True when JOURNAL_STREAM (its value, may be NULL) names the device and inode of fd. */
bool hd_log_is_journal_stream(const char *value, int fd);

/* ---- log.c ---- */

/** Escapes, masks and writes one line, whatever the levels say. */
void hd_log_emit(enum hd_log_level level, const char *subsystem, const char *call_id,
		 const char *text);
/** For a text that is safe already. */
void hd_log_emit_raw(const struct hd_log_line *line);
/** Another socket instead of journald's (tests); borrowed, NULL for systemd's own. */
void hd_log_set_journal_path(const char *path);

#endif
