/* upstream_state.c - GET /v1/upstreams: asked of the SIP thread, answered on the control thread. */
#include <stdlib.h>

#include "daemon_priv.h"
#include "upstream_priv.h"

struct question {
	struct daemon *d;
	struct hd_http_request *req;
	struct hd_upstream_state states[HD_PEERS_MAX];
	size_t n;
	struct hd_task task;
};

static struct question *question_of(struct hd_task *task)
{
	return (struct question *)((char *)task - offsetof(struct question, task));
}

static void show(struct hd_json *j, const struct hd_upstream_state *s)
{
	hd_json_object(j, NULL);
	hd_json_str(j, "name", s->name);
	hd_json_str(j, "uri", s->uri);
	hd_json_str(j, "mode", hd_peer_mode_name(s->mode));
	hd_json_str(j, "state", !s->probed ? "unknown" : s->up ? "up" : "down");
	hd_json_uint(j, "status", (uint64_t)s->status);
	hd_json_time(j, "changed", s->changed_ms);
	hd_json_uint(j, "registered", s->registered);
	hd_json_uint(j, "wanted", s->wanted);
	hd_json_uint(j, "failing", s->failing);
	hd_json_object_end(j);
}

static void on_answer(struct hd_task *task)
{
	struct question *q = question_of(task);
	struct hd_buf b = { 0 };
	struct hd_json j;

	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_array(&j, "upstreams");
	for (size_t i = 0; i < q->n; i++)
		show(&j, &q->states[i]);
	hd_json_array_end(&j);
	hd_json_object_end(&j);
	hd_http_answer_json(q->req, 200, &b);
	free(q);
}

static void on_question(struct hd_task *task)
{
	struct question *q = question_of(task);
	struct daemon *d = q->d;

	if (d->upstreams)
		q->n = hd_upstreams_state(d->upstreams, q->states);
	q->task.run = on_answer;
	hd_mailbox_post(hd_loop_mailbox(d->loop), &q->task);
}

static void upstreams_get(struct hd_http_request *req, void *arg)
{
	struct question *q = calloc(1, sizeof(*q));
	struct daemon *d = arg;

	if (!q) {
		hd_http_answer_error(req, HD_ENOMEM, "out of memory");
		return;
	}
	q->d = d;
	q->req = req;
	q->task.run = on_question;
	hd_mailbox_post(hd_agent_mailbox(d->agent), &q->task);
}

int daemon_mount_upstreams(struct daemon *d)
{
	static const struct hd_http_route routes[] = {
		{ HD_HTTP_GET, "/v1/upstreams", upstreams_get },
	};

	return hd_http_add_routes(d->http, routes, sizeof(routes) / sizeof(routes[0]), d);
}
