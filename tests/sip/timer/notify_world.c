/* notify_world.c - see notify_world.h. */
#include "notify_world.h"

static int nothing(struct hd_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return 0;
}

void commit(struct stack *s)
{
	struct world *w = s->arg;

	assert_int_equal(hd_store_execute(w->store, nothing, NULL), 0);
	stack_settle(s);
}

static int put(struct hd_txn *txn, void *arg)
{
	struct world *w = arg;
	int err = hd_user_put(w->dir, txn, &w->user);

	if (!err)
		err = hd_phone_put(w->dir, txn, &w->phone);
	return err ? err
		   : hd_device_secret_put(w->device, txn, w->phone.id, hd_slice_of(w->secret));
}

static int patch(void *arg, const char *phone, struct hd_buf *body)
{
	const struct world *w = arg;

	assert_string_equal(phone, "desk-1");
	if (!w->patch)
		return HD_ENOENT;
	hd_buf_adds(body, w->patch);
	return 0;
}

static bool busy(void *arg, const char *phone)
{
	assert_string_equal(phone, "desk-1");
	return ((const struct world *)arg)->busy;
}

void notify_opens(struct stack *s)
{
	struct world *w = s->arg;
	struct hd_notify_options o = {
		.agent = s->agent,
		.store = w->store,
		.desk = w->desk,
		.location = w->location,
		.directory = w->dir,
		.device = w->device,
		.domain = "hotdesk.test",
		.clock = &s->clock.clock,
		.policy = { .retry_s = RETRY_S,
			    .retry_max_s = RETRY_MAX_S,
			    .fetch_s = FETCH_S,
			    .tries = TRIES,
			    .rare_s = RARE_S,
			    .fetching = w->fetching },
		.patch = patch,
		.busy = busy,
		.arg = w,
	};

	assert_int_equal(hd_notify_new(&w->notify, &o), 0);
}

void notify_restarts(struct stack *s)
{
	struct world *w = s->arg;

	hd_notify_free(w->notify);
	notify_opens(s);
}

void phone_is(struct stack *s, const char *model)
{
	struct world *w = s->arg;

	snprintf(w->phone.model, sizeof(w->phone.model), "%s", model);
	assert_int_equal(hd_store_execute(w->store, put, w), 0);
}

void phone_has_secret(struct stack *s, const char *secret, bool kept)
{
	struct world *w = s->arg;

	w->secret = kept ? secret : NULL;
	hd_phone_set_secret(&w->phone, "hotdesk.test", hd_slice_of(secret));
	assert_int_equal(hd_store_execute(w->store, put, w), 0);
}

void seen(struct stack *s, struct hd_device_seen *seen)
{
	struct world *w = s->arg;
	struct hd_txn *txn;

	assert_int_equal(hd_store_begin_read(w->store, &txn), 0);
	assert_int_equal(hd_device_seen_get(w->device, txn, "desk-1", seen), 0);
	hd_store_end_read(txn);
}

int world_setup(void **state)
{
	const struct hd_store_options options = { 0 };
	const struct hd_key master = { { 1 } };
	struct world *w = calloc(1, sizeof(*w));
	struct stack *s;

	assert_non_null(w);
	assert_int_equal(stack_setup(state), 0);
	s = *state;
	s->arg = w;
	assert_int_equal(hd_store_open_mem(&w->store, &options), 0);
	assert_int_equal(hd_directory_new(&w->dir, w->store), 0);
	assert_int_equal(hd_desk_new(&w->desk, w->store, w->dir), 0);
	assert_int_equal(hd_location_new(&w->location, w->store), 0);
	assert_int_equal(hd_device_new(&w->device, w->store, &master), 0);
	snprintf(w->user.number, sizeof(w->user.number), "201");
	w->user.roaming = true;
	snprintf(w->phone.id, sizeof(w->phone.id), "desk-1");
	assert_int_equal(hd_store_execute(w->store, put, w), 0);
	notify_opens(s);
	return 0;
}

int world_teardown(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	commit(s);
	hd_notify_free(w->notify);
	assert_int_equal(stack_teardown(state), 0);
	hd_device_free(w->device);
	hd_location_free(w->location);
	hd_desk_free(w->desk);
	hd_directory_free(w->dir);
	hd_store_close(w->store);
	free(w);
	return 0;
}

void changes(struct stack *s, enum hd_desk_event event)
{
	struct world *w = s->arg;

	memset(&w->login, 0, sizeof(w->login));
	w->login.desk = w->desk;
	w->login.event = event;
	w->login.way = HD_DESK_WAY_ADMIN;
	w->login.by_admin = true;
	w->login.now_ms = hd_clock_wall_ms(&s->clock.clock);
	snprintf(w->login.phone, sizeof(w->login.phone), "desk-1");
	if (event == HD_DESK_EVENT_LOGIN)
		snprintf(w->login.user, sizeof(w->login.user), "201");
	assert_int_equal(hd_store_execute(w->store, hd_desk_apply, &w->login), 0);
	assert_true(hd_desk_result_is_success(w->login.result));
	hd_notify_wake(w->notify);
	stack_settle(s);
}

void registers(struct stack *s)
{
	struct world *w = s->arg;
	struct hd_location_change *c = &w->change;

	memset(c, 0, sizeof(*c));
	c->loc = w->location;
	c->n_contacts = c->max_contacts = c->cseq = 1;
	c->now_ms = hd_clock_wall_ms(&s->clock.clock);
	snprintf(c->aor, sizeof(c->aor), "desk-1");
	snprintf(c->call_id, sizeof(c->call_id), "r");
	snprintf(c->contacts[0].contact_uri, sizeof(c->contacts[0].contact_uri),
		 "sip:desk-1@127.0.0.1:%u", s->callee.port);
	snprintf(c->contacts[0].flow, sizeof(c->contacts[0].flow), "%s", s->callee.flow);
	c->contacts[0].cseq = 1;
	c->contacts[0].expires_at_ms = c->now_ms + 3600000;
	assert_int_equal(hd_store_execute(w->store, hd_location_change, c), 0);
	hd_notify_bound(w->notify, "desk-1");
	stack_settle(s);
}

int outbox(struct stack *s)
{
	struct world *w = s->arg;
	struct hd_txn *txn;
	int err;

	assert_int_equal(hd_store_begin_read(w->store, &txn), 0);
	err = hd_outbox_get(w->desk, txn, "desk-1", &w->entry);
	hd_store_end_read(txn);
	return err;
}
