/*
 * test_faults.c - every system call of a script of moves fails once, and from there on for good.
 *
 * A child runs the script with the n-th call failing and tells each acknowledgement through a
 * pipe. The parent opens what is left on the disk: everything acknowledged must be there, nothing
 * that was refused, nothing half. The child may refuse, or end with 75; it may not crash.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "crash/desk_model.h"
#include "hotdesk/base/log.h"
#include "store_test.h"
#include "support/faults.h"

enum {
	ALONE = 4,     /* moves executed before the start, and again after */
	TOGETHER = 12, /* moves submitted in one go */
	MOVES = ALONE + TOGETHER + ALONE,
	NTH_MAX = 2000,
	EXIT_FATAL = 75,
	EXIT_OPEN = 3,
};

/* What a child tells: an acknowledgement for each move, in the end whether the fault was met. */
struct told {
	struct desk_ack acks[MOVES];
	unsigned n, refused;
	bool hit;
	int status;
};

static void no_log(void *arg, enum hd_log_level level, const char *text)
{
	(void)arg;
	(void)level;
	(void)text;
}

/* ---- the child --------------------------------------------------------------------- */

struct script {
	struct hd_store *store;
	struct desk_tables tables;
	struct desk_move moves[MOVES];
	int fd;
};

static void tell(int fd, const struct desk_ack *ack)
{
	if (write(fd, ack, sizeof(*ack)) != (ssize_t)sizeof(*ack))
		_exit(1);
}

/* The last word: was the fault met? */
static void leave(int fd, int status)
{
	struct desk_ack hit = { .id = UINT32_MAX, .n = fault_hit() };

	fault_disarm();
	tell(fd, &hit);
	_exit(status);
}

static void on_fatal(void *arg, int err)
{
	(void)err;
	leave(*(int *)arg, EXIT_FATAL);
}

static void execute(struct script *s, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++) {
		struct desk_move *m = &s->moves[i];

		m->ack.err = hd_store_execute(s->store, desk_move_run, m);
		tell(s->fd, &m->ack);
	}
}

static void move_done(struct hd_command *command)
{
	struct desk_move *m = (struct desk_move *)(void *)command;

	m->ack.err = command->err;
}

static void submit(struct script *s, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++) {
		struct desk_move *m = &s->moves[i];

		m->command.done = move_done;
		m->fail = i % 5 == 0;
		if (hd_store_submit_soft(s->store, &m->command) != 0)
			_exit(1);
	}
}

static void run_script(int fd, const char *dir, const struct fault *fault)
{
	struct hd_store_options options = {
		.path = dir, .map_bytes = 65536, .fatal = on_fatal, .arg = &fd, .soft_delay_ms = 1
	};
	static struct script s;
	int err;

	s.fd = fd;
	(void)signal(SIGSEGV, SIG_DFL); /* not cmocka's: a crash must show */
	(void)signal(SIGBUS, SIG_DFL);
	fault_arm(fault);
	err = hd_store_open_lmdb(&s.store, &options);
	if (!err)
		err = desk_tables_open(&s.tables, s.store);
	if (err)
		leave(fd, EXIT_OPEN);
	for (uint32_t i = 0; i < MOVES; i++)
		desk_move_init(&s.moves[i], &s.tables, i);
	execute(&s, 0, ALONE);
	submit(&s, ALONE, TOGETHER); /* goes along with the next one */
	if (hd_store_start(s.store) != 0)
		_exit(1);
	execute(&s, ALONE + TOGETHER, ALONE);
	hd_store_close(s.store);
	for (unsigned i = ALONE; i < ALONE + TOGETHER; i++)
		tell(fd, &s.moves[i].ack);
	leave(fd, 0);
}

/* ---- the parent -------------------------------------------------------------------- */

static void run_child(struct told *told, const char *dir, const struct fault *fault)
{
	struct desk_ack ack;
	int fds[2];
	pid_t pid;

	*told = (struct told){ 0 };
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		run_script(fds[1], dir, fault);
	}
	close(fds[1]);
	while (read(fds[0], &ack, sizeof(ack)) == (ssize_t)sizeof(ack)) {
		if (ack.id == UINT32_MAX) {
			told->hit = ack.n != 0;
			continue;
		}
		assert_true(told->n < MOVES);
		told->acks[told->n++] = ack;
		told->refused += ack.err == HD_EFULL;
	}
	close(fds[0]);
	assert_int_equal(waitpid(pid, &told->status, 0), pid);
}

static void check(const struct told *told, const char *dir, const char *what)
{
	struct hd_store_options options = { .path = dir };
	struct desk_tables tables;
	struct desk_state state;
	struct hd_store *store;
	char why[DESK_WHY_BYTES] = "";
	bool good;
	int status = told->status;

	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != EXIT_FATAL &&
				   WEXITSTATUS(status) != EXIT_OPEN))
		fail_msg("%s: the child ended with status %#x", what, (unsigned)status);
	if (hd_store_open_lmdb(&store, &options) != 0)
		fail_msg("%s: cannot be opened again", what);
	assert_int_equal(desk_tables_open(&tables, store), 0);
	good = desk_state_read(&state, store, &tables, why);
	for (unsigned i = 0; i < told->n && good; i++)
		good = desk_state_has(&state, &told->acks[i], why);
	desk_state_fini(&state);
	hd_store_close(store);
	if (!good)
		fail_msg("%s: %s", what, why);
}

struct totals {
	unsigned rounds, refused, fatal, whole;
};

static void every_nth(struct fault fault, struct totals *totals)
{
	struct told told = { .hit = true };
	char dir[TEST_DIR_BYTES];
	char what[96];

	for (fault.nth = 1; told.hit && fault.nth < NTH_MAX; fault.nth++) {
		snprintf(what, sizeof(what), "call %d number %u error %d %s", (int)fault.call,
			 fault.nth, fault.err, fault.lasting ? "for good" : "once");
		test_dir_make(dir);
		run_child(&told, dir, &fault);
		check(&told, dir, what);
		test_dir_remove(dir);
		totals->rounds++;
		totals->refused += told.refused > 0;
		totals->fatal += WEXITSTATUS(told.status) == EXIT_FATAL;
		totals->whole += WEXITSTATUS(told.status) == 0;
	}
	assert_true(fault.nth < NTH_MAX);
}

static struct totals both(struct fault fault)
{
	struct totals totals = { 0 };

	every_nth(fault, &totals);
	fault.lasting = true;
	every_nth(fault, &totals);
	print_message("call %d error %d%s: %u rounds, %u refused, %u fatal, %u whole\n",
		      (int)fault.call, fault.err, fault.done ? " when done" : "", totals.rounds,
		      totals.refused, totals.fatal, totals.whole);
	return totals;
}

#define BOTH(...) both((struct fault){ __VA_ARGS__ })

static void test_no_descriptors(void **state)
{
	(void)state;
	assert_true(BOTH(.call = FAULT_OPEN, .err = EMFILE).rounds > 6);
}

static void test_disk_full(void **state)
{
	struct totals totals = BOTH(.call = FAULT_WRITE, .err = ENOSPC);

	(void)state;
	assert_true(totals.rounds > 40);
	assert_true(totals.refused > 20); /* told as such */
	assert_true(totals.whole >
		    totals.fatal); /* and the process goes on, but for the meta page */
}

static void test_write_errors(void **state)
{
	(void)state;
	assert_true(BOTH(.call = FAULT_WRITE, .err = EIO).fatal > 20);
}

static void test_short_writes(void **state)
{
	(void)state;
	assert_true(BOTH(.call = FAULT_WRITE, .err = 0).fatal > 20);
}

static void test_flush_errors(void **state)
{
	(void)state;
	assert_true(BOTH(.call = FAULT_SYNC, .err = EIO).fatal > 10);
	assert_true(BOTH(.call = FAULT_SYNC, .err = ENOSPC).refused > 10);
}

/* The worst: it is on the disk, and the error says that it is not. */
static void test_errors_when_done(void **state)
{
	(void)state;
	assert_true(BOTH(.call = FAULT_WRITE, .err = EIO, .done = true).fatal > 20);
	assert_true(BOTH(.call = FAULT_WRITE, .err = ENOSPC, .done = true).refused > 20);
	assert_true(BOTH(.call = FAULT_SYNC, .err = EIO, .done = true).fatal > 10);
	assert_true(BOTH(.call = FAULT_SYNC, .err = ENOSPC, .done = true).refused > 10);
}

static void test_no_space_to_allocate(void **state)
{
	(void)state;
	assert_true(BOTH(.call = FAULT_ALLOCATE, .err = ENOSPC).rounds > 2);
}

static void test_no_map(void **state)
{
	(void)state;
	assert_true(BOTH(.call = FAULT_MAP, .err = ENOMEM).rounds > 4);
}

static void test_no_rename(void **state)
{
	(void)state;
	assert_true(BOTH(.call = FAULT_RENAME, .err = EIO).rounds > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_write_errors),
		cmocka_unit_test(test_short_writes),
		cmocka_unit_test(test_flush_errors),
		cmocka_unit_test(test_errors_when_done),
		cmocka_unit_test(test_no_space_to_allocate),
		cmocka_unit_test(test_no_map),
		cmocka_unit_test(test_no_rename),
	};

	hd_log_set_sink(no_log, NULL);
	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
