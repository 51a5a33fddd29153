/*
 * csv.h - records of a CSV text (RFC 4180) as spreadsheets and PBXes write it.
 *
 * Ours, because cells may be PINs: a library's buffers are released unwiped, and know no lines.
 */
#ifndef CSV_H
#define CSV_H

#include <stddef.h>

#include "hotdesk/base/error.h"
#include "hotdesk/base/str.h"

enum { HD_CSV_CELLS_MAX = 256 };

struct hd_csv {
	struct hd_slice text; /* what is left of it */
	unsigned line;	      /* of what is left */
	char separator;
	char *out; /* where the cells' text goes: room for the whole of it */
};
struct hd_csv_cell {
	struct hd_slice value;
	unsigned line; /* where it begins */
};

/**
 * Skips a byte order mark, and finds the separator: of comma, semicolon and tab the one that the
 * first line has most of.
 * @param out room for as many bytes as the text has; the cells point there. Wiped by the owner.
 */
void hd_csv_init(struct hd_csv *csv, struct hd_slice text, char *out);
/**
 * The next record; empty lines are skipped. Cells without quotes lose the blanks around them.
 * @param whyp receives a static text for an error, which is that of line csv->line
 * @return 0, HD_ENOENT at the end, HD_EPARSE, HD_ELIMIT (too many cells)
 */
HD_MUSTCHECK int hd_csv_next(struct hd_csv *csv, struct hd_csv_cell cells[HD_CSV_CELLS_MAX],
			     size_t *np, const char **whyp);

#endif
