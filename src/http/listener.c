/* listener.c - listeners in evhttp, and Unix sockets that appear ready or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hotdesk/base/log.h"

#include "http_priv.h"

enum { BACKLOG = 128, WAKE_MS = 1000 };

void http_listeners_enable(struct hd_http *http, bool enable)
{
	struct http_listener *l;
	struct evconnlistener *ev;

	http->paused = !enable;
	TAILQ_FOREACH (l, &http->listeners, link) {
		ev = evhttp_bound_socket_get_listener(l->bound);
		if (enable ? evconnlistener_enable(ev) : evconnlistener_disable(ev))
			hd_warn("http", "%s: the listener did not change its state", l->name);
	}
}

/*
 * accept() failed, most likely for want of descriptors: trying on would spin. The argument is
 * evhttp's own, so the listener sleeps until http_listeners_wake() comes by.
 */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	int code = errno;

	(void)arg;
	hd_warn("http", "cannot accept a connection: %s", strerror(code));
	(void)evconnlistener_disable(listener);
}

void http_listeners_wake(void *arg)
{
	struct hd_http *http = arg;

	http_conns_sweep(http, http->n_conns);
	if (!http->paused)
		http_listeners_enable(http, true);
	if (hd_timer_set(http->wake, WAKE_MS))
		hd_warn("http", "the timer that wakes listeners stopped");
}

static int address_set(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	return hd_str_set(sun->sun_path, sizeof(sun->sun_path), path);
}

/* 0 when the path is free to be replaced: nothing there, or a socket that nobody listens on. */
static int path_check(const char *path)
{
	struct sockaddr_un sun;
	struct stat st;
	int code;
	int fd;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		hd_error("http", "%s: %s", path, strerror(errno));
		return errno == EACCES ? HD_EACCESS : HD_ESYSTEM;
	}
	if (!S_ISSOCK(st.st_mode)) {
		hd_error("http", "%s: there is something that is not a socket", path);
		return HD_EEXIST;
	}
	if (address_set(&sun, path))
		return HD_ELIMIT;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return HD_ESYSTEM;
	code = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) ? errno : 0;
	(void)close(fd);
	if (code == ECONNREFUSED)
		return 0;
	hd_error("http", "%s: in use: another process listens there (%s)", path,
		 code ? strerror(code) : "it answers");
	return HD_EEXIST;
}

/* Listens under a name beside the path, which takes the path only when all is ready. */
static int socket_open(int *fdp, const char *path, const char *beside, mode_t mode)
{
	struct sockaddr_un sun;
	bool bound = false;
	int err;
	int fd;

	err = address_set(&sun, beside);
	if (err) {
		hd_error("http", "%s: longer than a socket's path may be", path);
		return err;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		goto out;
	if (unlink(beside) && errno != ENOENT)
		goto out;
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)))
		goto out;
	bound = true;
	if (chmod(beside, mode) || listen(fd, BACKLOG) || rename(beside, path))
		goto out;
	*fdp = fd;
	return 0;

out:
	err = errno == EACCES || errno == EPERM || errno == EROFS ? HD_EACCESS : HD_ESYSTEM;
	hd_error("http", "%s: cannot listen: %s", path, strerror(errno));
	if (bound)
		(void)unlink(beside);
	if (fd >= 0)
		(void)close(fd);
	return err;
}

int http_listener_add(struct http_side *side, int fd, struct http_listener **lp)
{
	struct http_listener *l = calloc(1, sizeof(*l));
	struct evconnlistener *ev = NULL;

	if (!l)
		goto out;
	ev = evconnlistener_new(hd_loop_base(side->http->loop), NULL, NULL,
				LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!ev)
		goto out;
	evconnlistener_set_error_cb(ev, on_accept_error);
	l->bound = evhttp_bind_listener(side->evhttp, ev);
	if (!l->bound)
		goto out;
	l->side = side;
	TAILQ_INSERT_TAIL(&side->http->listeners, l, link);
	*lp = l;
	return 0;

out:
	if (ev)
		evconnlistener_free(ev);
	else
		(void)close(fd);
	free(l);
	return HD_ENOMEM;
}

/* Remembers which socket is ours. */
static int unix_add(struct hd_http *http, int fd, const char *path)
{
	struct http_listener *l;
	struct stat st;
	int err;

	err = http_listener_add(&http->sides[0], fd, &l);
	if (err) {
		(void)unlink(path);
		return err;
	}
	l->is_unix = true;
	l->name = strdup(path);
	err = l->name ? 0 : HD_ENOMEM;
	if (!err && lstat(path, &st))
		err = HD_ESYSTEM;
	if (err) {
		http_listener_free(http, l);
		(void)unlink(path);
		return err;
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

int hd_http_listen_unix(struct hd_http *http, const char *path, mode_t mode)
{
	struct hd_buf beside = { 0 };
	int fd = -1;
	int err;

	if (!http || !path || !*path)
		return HD_EINVAL;
	err = path_check(path);
	if (err)
		goto out;
	hd_buf_addf(&beside, "%s.%d", path, (int)getpid());
	err = hd_buf_error(&beside);
	if (err)
		goto out;
	err = socket_open(&fd, path, hd_buf_text(&beside), mode);
	if (err)
		goto out;
	err = unix_add(http, fd, path);

out:
	hd_buf_fini(&beside);
	return err;
}

void http_listener_free(struct hd_http *http, struct http_listener *l)
{
	struct stat st;

	TAILQ_REMOVE(&http->listeners, l, link);
	evhttp_del_accept_socket(l->side->evhttp, l->bound);
	/* Only what is still ours: a successor may have replaced it. */
	if (l->is_unix && l->name && !lstat(l->name, &st) && st.st_dev == l->dev &&
	    st.st_ino == l->ino && unlink(l->name))
		hd_warn("http", "%s: cannot remove: %s", l->name, strerror(errno));
	free(l->name);
	free(l);
}
