/*
 * fuzz_directory_file.c - users and phones: any text gives a file whose every entry has a name, or
 * errors.
 */
#include "support/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "hotdesk/directory_file.h"

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct hd_slice text = { (const char *)data, len };
	struct hd_directory_file *file = NULL;
	struct hd_buf errors = { 0 };
	int err = hd_directory_file_parse(&file, text, "fuzz.yaml", &errors);

	if (err) {
		EXPECT(err == HD_EPARSE && !file);
		EXPECT(strncmp(hd_buf_text(&errors), "fuzz.yaml:", 10) == 0);
	} else {
		EXPECT(file && errors.len == 0);
		for (size_t i = 0; i < file->n_users; i++)
			EXPECT(file->users[i].number && file->users[i].line > 0);
		for (size_t i = 0; i < file->n_phones; i++)
			EXPECT(file->phones[i].id &&
			       (!file->phones[i].mac || strlen(file->phones[i].mac) == 12));
	}
	hd_directory_file_free(file);
	hd_buf_fini(&errors);
	return 0;
}
