/* io.c - see hotdesk/sip/io.h. */
#include <stdlib.h>

#include "hotdesk/sip/io.h"
#include "sip_priv.h"

struct hd_sip_io {
	struct hd_agent *agent;
	int index;
	hd_sip_io_fn *readable;
	void *arg;
};

static int on_readable(struct hd_agent *agent, su_wait_t *wait, struct hd_agent *arg)
{
	struct hd_sip_io *io = (struct hd_sip_io *)(void *)arg;

	(void)agent;
	(void)wait;
	io->readable(io->arg);
	return 0;
}

int hd_sip_io_new(struct hd_sip_io **iop, struct hd_agent *agent, int fd, hd_sip_io_fn *readable,
		  void *arg)
{
	struct hd_sip_io *io = calloc(1, sizeof(*io));
	su_wait_t wait = SU_WAIT_INIT;

	if (!io)
		return HD_ENOMEM;
	io->agent = agent;
	io->readable = readable;
	io->arg = arg;
	io->index = -1;
	if (su_wait_create(&wait, fd, SU_WAIT_IN) == 0)
		io->index = su_root_register(agent->root, &wait, on_readable,
					     (struct hd_agent *)(void *)io, 0);
	if (io->index < 0) {
		free(io);
		return HD_ESYSTEM;
	}
	*iop = io;
	return 0;
}

void hd_sip_io_free(struct hd_sip_io *io)
{
	if (!io)
		return;
	(void)su_root_deregister(io->agent->root, io->index);
	free(io);
}
