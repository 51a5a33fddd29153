/* registrar_priv.h - what the files of registrar/ share. */
#ifndef REGISTRAR_PRIV_H
#define REGISTRAR_PRIV_H

#include <time.h>

#include <uthash.h>

#include "hotdesk/registrar.h"
#include "recent.h"

enum { REGISTRAR_KEY_SIZE = HD_SHA256_BYTES };

/* One REGISTER on its way to the disk. */
struct pending {
	struct hd_registrar *registrar;
	struct hd_request *req;
	struct hd_location_change change;
	struct hd_command command;
	bool soft;
	bool repeated;			 /* a retransmission: what it asks for has been done */
	bool listed;			 /* nothing was to be changed */
	char serial[HD_MAC_SIZE];	 /* X-Serialnumber, or "" */
	uint8_t key[REGISTRAR_KEY_SIZE]; /* of Call-ID, branch, CSeq and source */
	UT_hash_handle hh;
};

struct hd_registrar {
	struct hd_registrar_options options;
	struct pending *pending;
	struct recent_table recent;
	time_t date_of;
	char date[48]; /* header line of that second */
};

/* ---- answer.c ------------------------------------------------------------------------------- */

void answer_metrics(void);
void answer_refuse(struct hd_request *req, int status, const char *phrase, const char *lines);
/** The header fields of a 200: what is bound, the way back, Date. */
void answer_write(struct hd_registrar *r, struct hd_request *req,
		  const struct hd_location_change *change, struct hd_buf *lines);
/** 200 with what answer_write() wrote, which is freed. */
void answer_send(struct hd_request *req, struct hd_buf *lines);
void answer_ok(struct hd_registrar *r, struct hd_request *req,
	       const struct hd_location_change *change);
void answer_error(struct hd_request *req, const char *aor, int err);
/**
 * There is no room to write a mere refresh, and the phone is known: it gets the time that its
 * binding has left, which is true, and comes again before it is over. @return false: not answered
 */
bool answer_unwritten(struct hd_registrar *r, struct pending *p, int err);

/* ---- commit.c ------------------------------------------------------------------------------- */

/** Takes it over: it is answered now or when it is on the disk, and freed. */
void commit_start(struct pending *p);

#endif
