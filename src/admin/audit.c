/* audit.c - what happened at the desks and what users have set, oldest first. */
#include <stdio.h>
#include <string.h>

#include "admin_priv.h"
#include "hotdesk/audit.h"

enum { AFTER_SIZE = 40 };

static const char *or_null(const char *s)
{
	return s[0] ? s : NULL;
}

static void entry_show(struct hd_json *j, const struct hd_audit_entry *e)
{
	bool setting = e->what[0] != '\0';

	hd_json_object(j, NULL);
	hd_json_time(j, "at", e->at_ms);
	hd_json_str(j, "event", setting ? "setting" : hd_desk_event_name(e->event));
	hd_json_str(j, "way", hd_desk_way_name(e->way));
	hd_json_str(j, "user", or_null(e->user));
	hd_json_str(j, "phone", or_null(e->phone));
	hd_json_str(j, "result", setting ? NULL : hd_desk_result_name(e->result));
	hd_json_bool(j, "locked", e->locked);
	hd_json_str(j, "left_phone", or_null(e->left_phone));
	hd_json_str(j, "left_user", or_null(e->left_user));
	hd_json_str(j, "what", or_null(e->what));
	hd_json_str(j, "to", or_null(e->to));
	hd_json_object_end(j);
}

/* "EPOCH.SEQUENCE", as we have said it; anything else begins with the first. */
static void after_read(const char *after, uint64_t *epochp, uint32_t *sequencep)
{
	const char *dot = strchr(after, '.');
	uint64_t sequence = 0;

	*epochp = 0;
	*sequencep = 0;
	if (!dot ||
	    hd_u64_parse(epochp, (struct hd_slice){ after, (size_t)(dot - after) }, UINT64_MAX) ||
	    hd_u64_parse(&sequence, hd_slice_of(dot + 1), UINT32_MAX))
		*epochp = 0;
	else
		*sequencep = (uint32_t)sequence;
}

static int page_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		     const struct page *page)
{
	struct hd_audit_entry e;
	char last[AFTER_SIZE] = "";
	uint32_t sequence;
	uint64_t epoch, n = 0;
	int err = 0;

	after_read(page->after, &epoch, &sequence);
	hd_json_object(j, NULL);
	hd_json_array(j, "audit");
	while (n < page->limit) {
		err = hd_audit_next(admin->o.desk, txn, epoch, sequence, &e);
		if (err && err != HD_ECORRUPT && err != HD_EVERSION)
			break;
		epoch = e.epoch;
		sequence = e.sequence;
		n++;
		if (!err) /* what is damaged is passed over */
			entry_show(j, &e);
	}
	hd_json_array_end(j);
	(void)snprintf(last, sizeof(last), "%llu.%u", (unsigned long long)epoch, sequence);
	hd_json_str(j, "next", err == HD_ENOENT ? NULL : last);
	hd_json_object_end(j);
	return err == HD_ENOENT || err == HD_ECORRUPT || err == HD_EVERSION ? 0 : err;
}

void audit_list(struct hd_http_request *req, void *arg)
{
	page_answer(req, arg, "audit", page_show);
}
