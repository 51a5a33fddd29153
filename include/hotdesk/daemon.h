/*
 * daemon.h - the daemon as a function, so that tests can link it.
 *
 * Layer: 5.  May include: everything.  Thread: the one that calls becomes the control thread.
 */
#ifndef HOTDESK_DAEMON_H
#define HOTDESK_DAEMON_H

/**
 * Options, then the daemon until SIGTERM or SIGINT.
 * @return the exit status: 0 ended well, 1 the configuration or the start failed, 2 usage, 75 the
 * store's disk failed (restart wanted)
 */
int hd_daemon_main(int argc, char **argv);

#endif
