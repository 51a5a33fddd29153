/* desk.c - the tables of the desk and the names of its words; see desk.h. */
#include <stdlib.h>
#include <string.h>

#include "desk_priv.h"

#define NAME(n, s) s,
static const char *const results[] = { HD_DESK_RESULT_LIST(NAME) };
static const char *const events[] = { HD_DESK_EVENT_LIST(NAME) };
static const char *const ways[] = { HD_DESK_WAY_LIST(NAME) };
#undef NAME

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *hd_desk_result_name(enum hd_desk_result result)
{
	return (size_t)result < COUNT(results) ? results[result] : "unknown";
}

const char *hd_desk_event_name(enum hd_desk_event event)
{
	return (size_t)event < COUNT(events) ? events[event] : "unknown";
}

const char *hd_desk_way_name(enum hd_desk_way way)
{
	return (size_t)way < COUNT(ways) ? ways[way] : "unknown";
}

int hd_desk_new(struct hd_desk **dp, struct hd_store *store, struct hd_directory *dir)
{
	struct hd_desk *desk;
	int err;

	if (!dp || !store || !dir)
		return HD_EINVAL;

	desk = calloc(1, sizeof(*desk));
	if (!desk)
		return HD_ENOMEM;

	if (pthread_mutex_init(&desk->dummy_lock, NULL)) {
		free(desk);
		return HD_ENOMEM;
	}
	desk->dir = dir;
	atomic_init(&desk->audit_max, HD_AUDIT_MAX);
	err = hd_store_table(store, "desk_user", &desk->users);
	if (!err)
		err = hd_store_table(store, "desk_phone", &desk->phones);
	if (!err)
		err = hd_store_table(store, "desk_op", &desk->ops);
	if (!err)
		err = hd_store_table(store, "lockout", &desk->lockouts);
	if (!err)
		err = hd_store_table(store, "outbox", &desk->outbox);
	if (!err)
		err = hd_store_table(store, "audit", &desk->audit);
	if (err) {
		hd_desk_free(desk);
		return err;
	}

	*dp = desk;
	return 0;
}

void hd_desk_free(struct hd_desk *desk)
{
	if (!desk)
		return;
	(void)pthread_mutex_destroy(&desk->dummy_lock);
	free(desk);
}

void hd_desk_set_dummy(struct hd_desk *desk, const char *pin_hash)
{
	if (!desk)
		return;
	(void)pthread_mutex_lock(&desk->dummy_lock);
	/* One that does not fit leaves none, and then no login is prepared. */
	if (hd_str_set(desk->dummy, sizeof(desk->dummy), pin_hash))
		desk->dummy[0] = '\0';
	(void)pthread_mutex_unlock(&desk->dummy_lock);
}

int hd_dummy_get(struct hd_desk *desk, char pin_hash[HD_PIN_HASH_SIZE])
{
	(void)pthread_mutex_lock(&desk->dummy_lock);
	memcpy(pin_hash, desk->dummy, HD_PIN_HASH_SIZE);
	(void)pthread_mutex_unlock(&desk->dummy_lock);
	return pin_hash[0] ? 0 : HD_ESTATE;
}

void hd_desk_set_audit_max(struct hd_desk *desk, uint32_t max)
{
	atomic_store_explicit(&desk->audit_max, max, memory_order_relaxed);
}
