/* fixture.h - the admin API on a memory store and a real socket, and what to ask of it. */
#ifndef TEST_ADMIN_FIXTURE_H
#define TEST_ADMIN_FIXTURE_H

#include <semaphore.h>
#include <stdatomic.h>

#include "hotdesk/admin.h"
#include "unit/http/client.h"
#include "unit/http/harness.h"

struct fixture {
	struct harness h;
	struct hd_store *store;
	struct hd_directory *directory;
	struct hd_location *location;
	struct hd_desk *desk;
	struct hd_device *device;
	struct hd_settings_store *settings;
	struct hd_accounts *accounts;
	struct hd_worker *worker;
	struct hd_key pepper;
	struct hd_admin *admin;
	_Atomic int desk_changed; /* calls */
	sem_t *gate;		  /* posted between the admin's and the worker's end */
	int reload_err;		  /* what reload answers */
	pthread_mutex_t mutex;
	struct hd_buf log; /* every line since the start */
};

void fixture_open(struct fixture *f);
/** With an LMDB store in that folder instead of the memory store. */
void fixture_open_at(struct fixture *f, const char *lmdb);
void fixture_close(struct fixture *f);
/**
 * Asks and expects a status; fails with the whole answer otherwise. @return the body, to be freed
 */
char *ask(struct fixture *f, const char *method, const char *target, const char *body, int status);
/** As ask(), and the body must hold (or not hold) a text. */
void expect(struct fixture *f, const char *method, const char *target, const char *body, int status,
	    const char *has);
void expect_not(struct fixture *f, const char *target, const char *has_not);
/** Whether the log has had a line with this text. */
int logged(struct fixture *f, const char *text);
/** Runs a command on the store. Asserts that it succeeds. */
void execute(struct fixture *f, hd_command_fn *run, void *arg);
/** Registers a phone. */
void bind_phone(struct fixture *f, const char *id, const char *contact);

#endif
