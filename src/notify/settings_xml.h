/* settings_xml.h - the documents of as-feature-event. */
#ifndef HOTDESK_NOTIFY_SETTINGS_XML_H
#define HOTDESK_NOTIFY_SETTINGS_XML_H

#include "hotdesk/settings.h"

#define SETTINGS_XML_TYPE "application/x-as-feature-event+xml"

/** The package knows no more forwardings than these. */
enum { SETTINGS_FORWARDS = HD_FORWARD_NO_ANSWER + 1 };

/** What is told by a document of its own: do not disturb, and each forwarding. */
enum { SETTINGS_ITEM_DND = SETTINGS_FORWARDS, SETTINGS_ITEMS };

/** What a phone wants to be changed. */
struct settings_change {
	unsigned item;
	bool on;
	char to[HD_FORWARD_TO_SIZE]; /* "" : not said */
	uint8_t rings;		     /* 0: not said */
};
/** @return 0; HD_EPARSE, HD_ELIMIT, HD_EUNSUPPORTED, HD_ENOMEM */
HD_MUSTCHECK int settings_change_read(struct settings_change *change, struct hd_slice body);
void settings_change_apply(const struct settings_change *change, struct hd_settings *settings);

void settings_xml_write(struct hd_buf *body, const struct hd_settings *settings, unsigned item,
			const char *device);
/** A bit for each item that is told otherwise. */
unsigned settings_xml_differ(const struct hd_settings *one, const struct hd_settings *other);

#endif
