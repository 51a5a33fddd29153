/* dialog_info.h - application/dialog-info+xml documents (RFC 4235 4.1). */
#ifndef HOTDESK_NOTIFY_DIALOG_INFO_H
#define HOTDESK_NOTIFY_DIALOG_INFO_H

#include "hotdesk/lamp.h"

/** Begins a document of the full state. @param entity the URI that was subscribed to */
void dialog_info_begin(struct hd_buf *body, uint32_t version, const char *entity);
/** A dialog without parties. state: "terminated", "early", "confirmed" */
void dialog_info_add_state(struct hd_buf *body, const char *state);
/** @param duration_s since it was answered; below 0: not */
void dialog_info_add_call(struct hd_buf *body, const struct hd_lamp_call *call, const char *entity,
			  int64_t duration_s);
void dialog_info_end(struct hd_buf *body);

#endif
