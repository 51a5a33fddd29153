/* bindings.c - what the location service holds, a page of addresses-of-record at a time. */
#include <string.h>

#include "hotdesk/base/log.h"

#include "admin_priv.h"

static int page_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		     const struct page *page)
{
	struct hd_binding bindings[HD_BINDINGS_MAX];
	char aor[HD_PHONE_ID_SIZE];
	char last[HD_PHONE_ID_SIZE] = "";
	int64_t now_ms = hd_clock_wall_ms(admin->o.clock);
	uint64_t shown = 0;
	size_t n = HD_BINDINGS_MAX;
	int err;

	err = hd_location_next(admin->o.location, txn, page->after, now_ms, aor, bindings, &n);
	hd_json_object(j, NULL);
	hd_json_array(j, "bindings");
	while (shown < page->limit && (!err || (err == HD_ECORRUPT && aor[0]))) {
		if (err)
			hd_warn("admin", "phone %s: its bindings are damaged", aor);
		for (size_t i = 0; !err && i < n; i++)
			show_binding(j, aor, &bindings[i]);
		/* One whose bindings have all expired takes no room on the page. */
		shown += !err && n > 0;
		memcpy(last, aor, sizeof(last));
		n = HD_BINDINGS_MAX;
		err = hd_location_next(admin->o.location, txn, last, now_ms, aor, bindings, &n);
	}
	hd_json_array_end(j);
	hd_json_str(j, "next", err == HD_ENOENT ? NULL : last);
	hd_json_object_end(j);
	return err == HD_ENOENT || shown == page->limit ? 0 : err;
}

void bindings_list(struct hd_http_request *req, void *arg)
{
	page_answer(req, arg, "bindings", page_show);
}
