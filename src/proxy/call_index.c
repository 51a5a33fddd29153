/* call_index.c - calls by phone and by user, walks, and questions of other threads; see call.h. */
#include <stdlib.h>
#include <string.h>

#include "call_priv.h"
#include "hotdesk/base/log.h"

enum { KEY_SIZE = HD_PHONE_ID_SIZE + 1 }; /* 'p' or 'u' in front */

struct call_index {
	char key[KEY_SIZE];
	struct call_link *first;
	unsigned n;
	UT_hash_handle hh;
};

static void key_format(char key[KEY_SIZE], char kind, const char *name)
{
	size_t n = strnlen(name, KEY_SIZE - 2);

	key[0] = kind;
	memcpy(key + 1, name, n);
	key[1 + n] = '\0';
}

static struct call_index *find(const struct hd_proxy *proxy, char kind, const char *name)
{
	struct call_index *index;
	char key[KEY_SIZE];

	key_format(key, kind, name);
	HASH_FIND_STR(proxy->calls.indexes, key, index);
	return index;
}

static void unlink_from_index(struct call_table *table, struct call_link *link)
{
	struct call_index *index = link->index;

	if (!index)
		return;
	if (link->prev)
		link->prev->next = link->next;
	else
		index->first = link->next;
	if (link->next)
		link->next->prev = link->prev;
	link->index = NULL;
	if (--index->n > 0)
		return;
	if (table->indexes)
		HASH_DEL(table->indexes, index);
	free(index);
}

static void link_to_index(struct call *call, struct call_link *link, char kind, const char *name)
{
	struct call_table *table = &call->proxy->calls;
	struct call_index *index = find(call->proxy, kind, name);

	if (link->index && link->index == index)
		return;
	unlink_from_index(table, link);
	if (!*name)
		return;
	if (!index) {
		index = calloc(1, sizeof(*index));
		if (!index) {
			hd_warn("proxy", "%s: a call is not counted: %s", name,
				hd_strerror(HD_ENOMEM));
			return;
		}
		key_format(index->key, kind, name);
		HASH_ADD_STR(table->indexes, key, index);
	}
	link->call = call;
	link->index = index;
	link->prev = NULL;
	link->next = index->first;
	if (link->next)
		link->next->prev = link;
	index->first = link;
	index->n++;
}

void call_index_set(struct call *call, enum call_side side)
{
	const struct hd_call_party *party =
		side == CALL_CALLER ? &call->call.caller : &call->call.callee;

	link_to_index(call, &call->by_phone[side], 'p', party->phone);
	link_to_index(call, &call->by_user[side], 'u', party->user);
}

void call_index_clear(struct call *call)
{
	for (int side = 0; side < CALL_SIDES; side++) {
		unlink_from_index(&call->proxy->calls, &call->by_phone[side]);
		unlink_from_index(&call->proxy->calls, &call->by_user[side]);
	}
}

void call_index_fini(struct call_table *table)
{
	struct call_index *index = table->indexes, *next;

	HASH_CLEAR(hh, table->indexes);
	for (; index; index = next) {
		next = index->hh.next;
		free(index);
	}
}

/* ---- walks ---------------------------------------------------------------------------------- */

unsigned hd_proxy_calls_of_phone(const struct hd_proxy *proxy, const char *phone)
{
	const struct call_index *index = find(proxy, 'p', phone);

	return index ? index->n : 0;
}

size_t hd_proxy_calls(const struct hd_proxy *proxy)
{
	return proxy->calls.n;
}

void hd_proxy_walk_calls(const struct hd_proxy *proxy, hd_call_fn *fn, void *arg)
{
	for (const struct call *call = proxy->calls.all; call; call = call->next)
		fn(arg, &call->call);
}

static void walk_index(const struct hd_proxy *proxy, char kind, const char *name, hd_call_fn *fn,
		       void *arg)
{
	const struct call_index *index = find(proxy, kind, name);

	for (const struct call_link *link = index ? index->first : NULL; link; link = link->next)
		fn(arg, &link->call->call);
}

void hd_proxy_walk_calls_of_phone(const struct hd_proxy *proxy, const char *phone, hd_call_fn *fn,
				  void *arg)
{
	walk_index(proxy, 'p', phone, fn, arg);
}

void hd_proxy_walk_calls_of_user(const struct hd_proxy *proxy, const char *user, hd_call_fn *fn,
				 void *arg)
{
	walk_index(proxy, 'u', user, fn, arg);
}

/* ---- questions of other threads ------------------------------------------------------------- */

static void copy_call(void *arg, const struct hd_call *call)
{
	struct hd_calls_question *question = arg;

	if (question->n_calls < question->calls_max)
		question->calls[question->n_calls++] = *call;
}

static void count_call(void *arg, const struct hd_call *call)
{
	struct hd_calls_question *question = arg;

	(void)call;
	question->calls_total++;
}

static void copy_calls(const struct hd_proxy *proxy, struct hd_calls_question *question)
{
	size_t n;

	if (*question->user)
		hd_proxy_walk_calls_of_user(proxy, question->user, count_call, question);
	else
		question->calls_total = proxy->calls.n;
	n = question->calls_total;
	if (n > question->calls_max)
		n = question->calls_max;
	if (n == 0)
		return;
	question->calls_max = n;
	question->calls = calloc(n, sizeof(*question->calls));
	if (!question->calls)
		question->err = HD_ENOMEM;
	else if (*question->user)
		hd_proxy_walk_calls_of_user(proxy, question->user, copy_call, question);
	else
		hd_proxy_walk_calls(proxy, copy_call, question);
}

static void run_reply(struct hd_task *task)
{
	struct hd_calls_question *question =
		(struct hd_calls_question *)((char *)task -
					     offsetof(struct hd_calls_question, task));

	question->done(question);
}

static void run_question(struct hd_task *task)
{
	struct hd_calls_question *question =
		(struct hd_calls_question *)((char *)task -
					     offsetof(struct hd_calls_question, task));
	const struct hd_proxy *proxy = *question->proxy;

	if (!proxy)
		question->err = HD_ESHUTDOWN;
	for (size_t i = 0; proxy && i < question->n_phones; i++)
		question->busy[i] = hd_proxy_calls_of_phone(proxy, question->phones[i]);
	if (proxy && question->calls_max)
		copy_calls(proxy, question);
	task->run = run_reply;
	hd_mailbox_post(question->reply_to, task);
}

void hd_calls_ask(struct hd_mailbox *sip, struct hd_proxy *const *proxy,
		  struct hd_calls_question *question)
{
	question->proxy = proxy;
	question->err = 0;
	question->calls = NULL;
	question->n_calls = question->calls_total = 0;
	question->task.run = run_question;
	hd_mailbox_post(sip, &question->task);
}
