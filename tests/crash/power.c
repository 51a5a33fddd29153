/*
 * power.c - what could be on the disk when the power goes: builds it, opens it, checks it.
 *
 *   crash_power [--no-flush] [--seed N] LOG IMAGES
 *
 * LOG is what recorder.so wrote. An image is taken at a random entry: what has been flushed by
 * then, and of the rest a random part: nothing, all, whole writes, or pieces of 4096 or 512 bytes,
 * each there or not (a disk writes a sector whole). It is opened with the store by a child process:
 * everything acknowledged before the cut must be there, the state must be right, and further moves
 * must go on.
 *
 * With --no-flush the disk lies: no flush counts. That must lose something, or this test is worth
 * nothing; --no-flush therefore fails when nothing was lost.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "desk_model.h"
#include "hotdesk/base/log.h"
#include "recorder.h"

enum { PENDING_MAX = 1 << 16, MOVES_AFTER = 3, SHOWN_MAX = 5, ROOM_BYTES = 256 };

enum verdict { GOOD, LOST, CORRUPT, BROKEN };

struct pending {
	uint64_t offset;
	uint32_t len;
	const uint8_t *bytes;
};

/* The disk after the entries so far: `bytes` has been flushed, `pending` not. */
struct disk {
	uint8_t *bytes;
	size_t len, size;
	struct pending *pending;
	size_t pending_n;
	uint64_t file;	      /* the store's, once it has its place */
	bool renamed, placed; /* placed: the rename is on the disk, too */
	const struct desk_ack **acks;
	size_t acks_n;
};

struct run {
	const uint8_t *log;
	size_t log_len, entries;
	uint64_t random;
	bool no_flush;
	char dir[ROOM_BYTES], data[ROOM_BYTES + 16], lock[ROOM_BYTES + 16];
	uint64_t store_file;
	uint8_t *image;
	size_t image_size;
	unsigned verdicts[BROKEN + 1];
	unsigned max_pending;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t next_random(struct run *run)
{
	run->random ^= run->random << 13;
	run->random ^= run->random >> 7;
	run->random ^= run->random << 17;
	return run->random;
}

/* ---- the log ------------------------------------------------------------------------------ */

static const struct recorder_entry *entry_at(const struct run *run, size_t at)
{
	const struct recorder_entry *e = (const void *)(run->log + at);

	if (at + sizeof(*e) > run->log_len || at + sizeof(*e) + e->len > run->log_len)
		return NULL;
	return e;
}

static size_t entry_next(const struct recorder_entry *e, size_t at)
{
	return at + sizeof(*e) + recorder_padded(e->len);
}

/* The store's file is the one that was renamed to its place last, or else the only one. */
static void log_scan(struct run *run)
{
	const struct recorder_entry *e;

	for (size_t at = 0; (e = entry_at(run, at)); at = entry_next(e, at)) {
		if (e->kind == RECORDER_RENAME || (e->kind == RECORDER_OPEN && !run->store_file))
			run->store_file = e->file;
		run->entries++;
	}
}

static void log_map(struct run *run, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	run->log_len = (size_t)st.st_size;
	run->log = mmap(NULL, run->log_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (run->log == MAP_FAILED)
		die(path);
	close(fd);
	log_scan(run);
	if (run->entries == 0)
		die("no entries");
}

/* ---- the disk ----------------------------------------------------------------------------- */

static void bytes_grow(uint8_t **bytesp, size_t *sizep, size_t need)
{
	size_t size = *sizep;

	if (need <= size)
		return;
	while (size < need)
		size = size * 2 + 65536;
	*bytesp = realloc(*bytesp, size);
	if (!*bytesp)
		die("memory");
	memset(*bytesp + *sizep, 0, size - *sizep);
	*sizep = size;
}

static void disk_put(struct disk *d, const struct pending *p)
{
	size_t end = p->offset + p->len;

	bytes_grow(&d->bytes, &d->size, end);
	memcpy(d->bytes + p->offset, p->bytes, p->len);
	if (end > d->len)
		d->len = end;
}

static void disk_flush(struct disk *d, size_t from)
{
	for (size_t i = from; i < d->pending_n; i++)
		disk_put(d, &d->pending[i]);
	d->pending_n = from;
}

static void disk_apply(struct disk *d, const struct run *run, const struct recorder_entry *e)
{
	const uint8_t *payload = (const uint8_t *)(e + 1);
	struct pending p = { e->offset, e->len, payload };
	bool ours = e->file == run->store_file;

	switch ((enum recorder_kind)e->kind) {
	case RECORDER_OPEN:
		if (ours && e->len > 0) {
			disk_put(d, &p);
			d->placed = true;
		}
		break;
	case RECORDER_WRITE:
		if (!ours)
			break;
		if (d->pending_n == PENDING_MAX)
			die("too many writes without a flush");
		d->pending[d->pending_n++] = p;
		break;
	case RECORDER_FLUSH:
		if (ours && !run->no_flush)
			disk_flush(d, 0);
		break;
	case RECORDER_FLUSH_LAST:
		if (ours && !run->no_flush && d->pending_n > 0)
			disk_flush(d, d->pending_n - 1);
		break;
	case RECORDER_RENAME:
		d->renamed = true;
		break;
	case RECORDER_FOLDER:
		d->placed = d->renamed;
		break;
	case RECORDER_ACK:
		if (e->len == sizeof(struct desk_ack))
			d->acks[d->acks_n++] = (const void *)payload;
		break;
	}
}

/* ---- an image ----------------------------------------------------------------------------- */

static void image_put(struct run *run, size_t *lenp, const struct pending *p, uint64_t from,
		      uint64_t to)
{
	bytes_grow(&run->image, &run->image_size, to);
	memcpy(run->image + from, p->bytes + (from - p->offset), to - from);
	if (to > *lenp)
		*lenp = to;
}

/* Pieces are cut where the disk's sectors or pages end, not where the write begins. */
static void image_pieces(struct run *run, size_t *lenp, const struct pending *p, uint64_t piece,
			 unsigned percent)
{
	uint64_t end = p->offset + p->len;

	for (uint64_t from = p->offset; from < end;) {
		uint64_t to = (from / piece + 1) * piece;

		if (to > end)
			to = end;
		if (next_random(run) % 100 < percent)
			image_put(run, lenp, p, from, to);
		from = to;
	}
}

static size_t image_build(struct run *run, const struct disk *d)
{
	static const uint64_t pieces[] = { UINT64_MAX / 2, 4096, 512 };
	static const unsigned percents[] = { 0, 10, 50, 50, 90, 100 };
	uint64_t piece = pieces[next_random(run) % 3];
	unsigned percent = percents[next_random(run) % 6];
	size_t len = d->len;

	bytes_grow(&run->image, &run->image_size, d->len + 1);
	memset(run->image, 0, run->image_size);
	if (d->len > 0)
		memcpy(run->image, d->bytes, d->len);
	for (size_t i = 0; i < d->pending_n; i++)
		image_pieces(run, &len, &d->pending[i], piece, percent);
	return len;
}

static void image_write(const struct run *run, size_t len)
{
	int fd = open(run->data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t done = 0;

	if (fd < 0)
		die(run->data);
	while (done < len) {
		ssize_t n = write(fd, run->image + done, len - done);

		if (n <= 0)
			die(run->data);
		done += (size_t)n;
	}
	close(fd);
}

/* ---- checking, in a child process --------------------------------------------------------- */

static enum verdict check_acks(struct hd_store *store, const struct desk_tables *tables,
			       const struct disk *d, char why[DESK_WHY_BYTES])
{
	enum verdict verdict = GOOD;
	struct desk_state state;

	if (!desk_state_read(&state, store, tables, why))
		verdict = CORRUPT;
	for (size_t i = 0; i < d->acks_n && verdict == GOOD; i++) {
		if (!desk_state_has(&state, d->acks[i], why))
			verdict = LOST;
	}
	desk_state_fini(&state);
	return verdict;
}

static enum verdict check_image(const struct run *run, const struct disk *d,
				char why[DESK_WHY_BYTES])
{
	struct hd_store_options options = { .path = run->dir, .map_bytes = 65536 };
	struct desk_tables tables;
	struct desk_state state;
	struct hd_store *store;
	enum verdict verdict;

	snprintf(why, DESK_WHY_BYTES, "it cannot be opened");
	if (hd_store_open_lmdb(&store, &options) != 0 || desk_tables_open(&tables, store) != 0)
		return CORRUPT;
	verdict = check_acks(store, &tables, d, why);
	for (uint32_t i = 0; i < MOVES_AFTER && verdict == GOOD; i++) {
		struct desk_move move;

		desk_move_init(&move, &tables, UINT32_MAX - i);
		if (hd_store_execute(store, desk_move_run, &move) != 0) {
			snprintf(why, DESK_WHY_BYTES, "it cannot be written to");
			verdict = CORRUPT;
		}
	}
	if (verdict == GOOD && !desk_state_read(&state, store, &tables, why))
		verdict = CORRUPT;
	else if (verdict == GOOD)
		desk_state_fini(&state);
	hd_store_close(store);
	return verdict;
}

static void no_log(void *arg, enum hd_log_level level, const char *text)
{
	(void)arg;
	(void)level;
	(void)text;
}

static enum verdict check_in_child(const struct run *run, const struct disk *d, bool shown)
{
	char why[DESK_WHY_BYTES] = "";
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		enum verdict verdict;

		if (run->no_flush && !freopen("/dev/null", "w", stderr))
			_exit(BROKEN);
		hd_log_set_sink(no_log, NULL);
		verdict = check_image(run, d, why);
		if (verdict != GOOD && shown)
			printf("  %zu acknowledged: %s\n", d->acks_n, why);
		(void)fflush(stdout);
		_exit((int)verdict);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) <= BROKEN)
		return (enum verdict)WEXITSTATUS(status);
	if (shown)
		printf("  %zu acknowledged: opening it ended the process (status %#x)\n", d->acks_n,
		       (unsigned)status);
	return CORRUPT;
}

static void check_cut(struct run *run, const struct disk *d, unsigned number)
{
	bool there = d->placed || (d->renamed && next_random(run) % 2 == 0);
	enum verdict verdict;
	bool shown;

	(void)unlink(run->data);
	(void)unlink(run->lock);
	if (there)
		image_write(run, image_build(run, d));
	shown = !run->no_flush &&
		run->verdicts[LOST] + run->verdicts[CORRUPT] + run->verdicts[BROKEN] < SHOWN_MAX;
	if (d->pending_n > run->max_pending)
		run->max_pending = (unsigned)d->pending_n;
	verdict = check_in_child(run, d, shown);
	if (verdict != GOOD && shown)
		printf("  is image %u\n", number);
	run->verdicts[verdict]++;
}

/* ---- all of them -------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* In the order of the log, so that the disk is carried along. */
static size_t *choose_cuts(struct run *run, unsigned images)
{
	size_t *cuts = calloc(images + 1, sizeof(*cuts));

	if (!cuts)
		die("memory");
	for (unsigned i = 0; i < images; i++)
		cuts[i] = 1 + next_random(run) % run->entries;
	qsort(cuts, images, sizeof(*cuts), by_value);
	return cuts;
}

static size_t check_images(struct run *run, unsigned images)
{
	size_t *cuts = choose_cuts(run, images);
	const struct recorder_entry *e;
	struct disk d = { 0 };
	size_t n = 0, acks;
	unsigned done = 0;

	d.pending = calloc(PENDING_MAX, sizeof(*d.pending));
	d.acks = calloc(run->entries, sizeof(*d.acks));
	if (!d.pending || !d.acks)
		die("memory");
	for (size_t at = 0; (e = entry_at(run, at)) && done < images; at = entry_next(e, at)) {
		disk_apply(&d, run, e);
		for (n++; done < images && cuts[done] == n; done++)
			check_cut(run, &d, done);
	}
	acks = d.acks_n;
	free(d.pending);
	free(d.acks);
	free(d.bytes);
	free(cuts);
	return acks;
}

static void make_folder(struct run *run)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(run->dir, sizeof(run->dir), "%s/hd-power.XXXXXX", tmp);
	if (!mkdtemp(run->dir))
		die(run->dir);
	snprintf(run->data, sizeof(run->data), "%s/data.mdb", run->dir);
	snprintf(run->lock, sizeof(run->lock), "%s/lock.mdb", run->dir);
}

int main(int argc, char **argv)
{
	struct run run = { .random = 1 };
	unsigned images;
	size_t acks;
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--no-flush") == 0)
			run.no_flush = true;
		else if (strcmp(argv[at], "--seed") == 0 && at + 1 < argc)
			run.random = strtoull(argv[++at], NULL, 10) * 2654435761U + 1;
	}
	if (argc - at != 2) {
		fprintf(stderr, "usage: crash_power [--no-flush] [--seed N] LOG IMAGES\n");
		return 2;
	}
	log_map(&run, argv[at]);
	images = (unsigned)strtoul(argv[at + 1], NULL, 10);
	make_folder(&run);
	acks = check_images(&run, images);
	(void)unlink(run.data);
	(void)unlink(run.lock);
	(void)rmdir(run.dir);
	free(run.image);
	printf("%s%u images of %zu log entries, %zu acknowledged, up to %u writes pending: "
	       "%u lost, %u corrupt\n",
	       run.no_flush ? "a lying disk: " : "power cuts: ", images, run.entries, acks,
	       run.max_pending, run.verdicts[LOST], run.verdicts[CORRUPT] + run.verdicts[BROKEN]);
	if (run.no_flush)
		return run.verdicts[LOST] + run.verdicts[CORRUPT] > 0 ? 0 : 1;
	return run.verdicts[GOOD] == images ? 0 : 1;
}
