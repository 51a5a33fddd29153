/*
 * fuzz_replay.c - main() of a fuzz target where there is no libFuzzer: runs it over
 * every file of the folders and files that are its arguments, and over no input.
 */
#include "support/fuzz.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int replay(const char *path, size_t len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(len ? len : 1);
	int err = -1;

	if (file && data && fread(data, 1, len, file) == len) {
		LLVMFuzzerTestOneInput(data, len);
		err = 0;
	} else {
		perror(path);
	}
	free(data);
	if (file)
		fclose(file);
	return err;
}

int main(int argc, char **argv)
{
	FTS *fts = argc > 1 ? fts_open(argv + 1, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	FTSENT *ent;
	unsigned int done = 0;
	int err = 0;

	if (!fts) {
		fprintf(stderr, "usage: %s FILE-OR-FOLDER...\n", argv[0]);
		return EXIT_FAILURE;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	while ((ent = fts_read(fts))) {
		if (ent->fts_info == FTS_F &&
		    !replay(ent->fts_path, (size_t)ent->fts_statp->st_size))
			done++;
		else if (ent->fts_info != FTS_D && ent->fts_info != FTS_DP)
			err = 1;
	}
	fts_close(fts);
	printf("%u inputs replayed\n", done);
	return err || !done ? EXIT_FAILURE : EXIT_SUCCESS;
}
