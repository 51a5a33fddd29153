/*
 * io.h - a descriptor of somebody else's, served by the SIP thread.
 *
 * Layer: 3.  May include: base, sofia-sip.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_IO_H
#define HOTDESK_SIP_IO_H

#include "hotdesk/base/error.h"

struct hd_agent;
struct hd_sip_io;

typedef void hd_sip_io_fn(void *arg);
/**
 * Calls `readable` as long as the descriptor, which is borrowed, is readable.
 * @return 0, HD_ENOMEM or HD_ESYSTEM
 */
HD_MUSTCHECK int hd_sip_io_new(struct hd_sip_io **iop, struct hd_agent *agent, int fd,
			       hd_sip_io_fn *readable, void *arg);
/** Before the descriptor is closed. NULL-safe. */
void hd_sip_io_free(struct hd_sip_io *io);

#endif
