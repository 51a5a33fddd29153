/* sight.c - see sight.h. */
#include "sight.h"

int sight_note(struct hd_txn *txn, struct hd_device *device, const struct hd_location_change *c,
	       const char *serial)
{
	struct hd_device_sight sight;
	struct hd_device_seen seen;
	int err;

	if (!device || !c->changed || c->n_contacts == 0)
		return 0;
	sight.agent = hd_slice_of(c->contacts[0].user_agent);
	sight.instance = hd_slice_of(c->contacts[0].instance_id);
	sight.serial = hd_slice_of(serial);
	err = hd_device_seen_get(device, txn, c->aor, &seen);
	/* A damaged record is replaced; a newer one is not ours to judge. */
	if (err && err != HD_ECORRUPT)
		return err == HD_EVERSION ? 0 : err;
	if (!hd_device_seen_take(&seen, &sight))
		return 0;
	return hd_device_seen_put(device, txn, c->aor, &seen);
}
