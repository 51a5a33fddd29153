/* note.c - what a phone has fetched: written down, and told to the daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "provision_priv.h"

enum { NOTES_MAX = 256, AGENT_SIZE = 257, FROM_SIZE = 64 };

struct note {
	struct hd_command command;
	struct hd_provision *provision;
	enum hd_vendor_file kind;
	int64_t at_ms;
	char phone[HD_PHONE_ID_SIZE];
	char agent[AGENT_SIZE];
	char from[FROM_SIZE];
};

/* A command's function: the SIP side writes its part of the same record. */
static int write_seen(struct hd_txn *txn, void *arg)
{
	const struct note *note = arg;
	struct hd_device *device = note->provision->options.device;
	struct hd_device_sight sight = { .agent = hd_slice_of(note->agent) };
	struct hd_device_seen seen;
	struct hd_phone phone;
	int err;

	/* Removed meanwhile: nothing is kept of nobody. */
	err = hd_phone_get(note->provision->options.directory, txn, note->phone, &phone);
	hd_wipe(&phone, sizeof(phone));
	if (!err)
		err = hd_device_seen_get(device, txn, note->phone, &seen);
	if (err)
		return err;
	(void)hd_device_seen_take(&seen, &sight);
	if (note->at_ms > seen.fetched_at_ms) {
		seen.fetched_at_ms = note->at_ms;
		err = hd_str_set(seen.fetched_from, sizeof(seen.fetched_from), note->from);
	}
	return err ? err : hd_device_seen_put(device, txn, note->phone, &seen);
}

/* Once a second: it is no news that there are many. */
static void complain(struct hd_provision *p, const char *phone, const char *why)
{
	uint32_t others;

	p->complaints.per_second = 1;
	if (hd_ratelimit_allow(&p->complaints, hd_clock_mono_ms(p->options.clock), &others))
		hd_warn("provision", "%s: what it fetched is not noted: %s (and %u before)", phone,
			why, (unsigned)others);
}

static void note_free(struct note *note)
{
	note->provision->notes--;
	free(note);
}

static void on_written(struct hd_command *command)
{
	struct note *note = command->arg;

	if (command->err && command->err != HD_ENOENT)
		hd_warn("provision", "%s: what it fetched is not noted: %s", note->phone,
			hd_strerror(command->err));
	note_free(note);
}

static void on_sent(void *arg, bool sent)
{
	struct note *note = arg;
	const struct hd_provision_options *o = &note->provision->options;
	const struct hd_provision_fetch fetch = { note->phone, note->kind, note->at_ms,
						  note->from };

	if (!sent) {
		hd_info("provision", "%s: went before it had its configuration", note->phone);
		note_free(note);
		return;
	}
	if (o->fetched)
		o->fetched(o->arg, &fetch);
	note->command = (struct hd_command){
		.run = write_seen,
		.arg = note,
		.reply_to = hd_loop_mailbox(o->loop),
		.done = on_written,
	};
	if (hd_store_submit_soft(o->store, &note->command)) {
		complain(note->provision, note->phone, "the store is busy");
		note_free(note);
	}
}

void provision_note(struct provision_ask *ask, enum hd_vendor_file kind)
{
	const char *agent = hd_http_header(ask->req, "User-Agent");
	struct hd_provision *p = ask->provision;
	struct note *note = p->notes < NOTES_MAX ? calloc(1, sizeof(*note)) : NULL;

	if (!note) {
		complain(p, ask->phone.id, "too many at once");
		return;
	}
	p->notes++;
	note->provision = p;
	note->kind = kind;
	note->at_ms = ask->at_ms;
	memcpy(note->phone, ask->phone.id, sizeof(note->phone));
	(void)snprintf(note->agent, sizeof(note->agent), "%s", agent ? agent : "");
	(void)snprintf(note->from, sizeof(note->from), "%s", hd_http_peer_get(ask->req)->text);
	hd_http_on_sent(ask->req, on_sent, note);
}
