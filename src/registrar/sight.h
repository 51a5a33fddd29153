/* sight.h - what a REGISTER shows of its phone. */
#ifndef REGISTRAR_SIGHT_H
#define REGISTRAR_SIGHT_H

#include "hotdesk/device.h"
#include "hotdesk/location.h"

/**
 * Keeps it, in the command that writes the binding; only when that is another one, so that a mere
 * refresh costs nothing.
 * @param device NULL: not kept
 * @param serial the MAC of X-Serialnumber, or ""
 */
HD_MUSTCHECK int sight_note(struct hd_txn *txn, struct hd_device *device,
			    const struct hd_location_change *change, const char *serial);

#endif
