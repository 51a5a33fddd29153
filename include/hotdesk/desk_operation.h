/*
 * desk_operation.h - one login, logout or toggle from the question to the answer, whichever way it
 * was asked for: code, INFO, dialogue, hoteling, form.
 *
 * An operation looks at a snapshot (hd_desk_prepare()), has the PIN verified on the hash thread,
 * submits hd_desk_apply() as a durable command, and after its commit counts, logs and reports it
 * (SecurityEvent), looks up the names of those concerned, and calls `done`. The asker only answers.
 * It may go away meanwhile (hd_operation_leave()): what was asked for goes on, because it may be
 * committed already. The PIN is wiped as soon as it has been verified.
 *
 * A struct hd_operations belongs to the thread that drains its mailbox; the SIP thread and the
 * control thread have one each.
 *
 * Layer: 2.  May include: base, store, directory, desk.  Thread: that of the mailbox.
 */
#ifndef HOTDESK_DESK_OPERATION_H
#define HOTDESK_DESK_OPERATION_H

#include "hotdesk/base/worker.h"
#include "hotdesk/desk.h"

struct hd_operations;
struct hd_operation;

struct hd_operations_options {
	struct hd_store *store; /* all borrowed */
	struct hd_directory *dir;
	struct hd_desk *desk;
	struct hd_worker *worker;
	struct hd_mailbox *mailbox;
	const struct hd_clock *clock;
	struct hd_key pepper; /* copied */
	struct hd_desk_policy policy;
	/** A login or logout was committed, and `done` has told the asker: tell the phones. */
	void (*changed)(void *arg);
	void *arg;
};
/** @return 0, HD_EINVAL or HD_ENOMEM */
HD_MUSTCHECK int hd_operations_new(struct hd_operations **osp,
				   const struct hd_operations_options *options);
/** The worker and the store must have been stopped and the mailbox drained. NULL-safe. */
void hd_operations_free(struct hd_operations *os);
/** For operations that begin from now on. */
void hd_operations_set_policy(struct hd_operations *os, const struct hd_desk_policy *policy);
/** Under way. */
size_t hd_operations_count(const struct hd_operations *os);
/**
 * Whether an operation that began now would be taken: by_pin, its check of the PIN; else its
 * command. Refuse before anything is spent on one that would not.
 */
bool hd_operations_admit(struct hd_operations *os, bool by_pin);

/** How the asker knows who it is. */
enum hd_desk_proof {
	HD_DESK_PROOF_PIN,  /* the PIN is to be verified here */
	HD_DESK_PROOF_GOOD, /* the asker has verified something else (hoteling) */
	HD_DESK_PROOF_BAD   /* the same, and it was wrong: counts as a wrong PIN */
};

/** What is asked; all texts are copied. */
struct hd_desk_ask {
	enum hd_desk_event event;
	enum hd_desk_way way;
	const char *phone;
	const char *user; /* the number typed; NULL or "" for a logout, and a toggle that is one */
	enum hd_desk_proof proof;
	struct hd_slice pin; /* borrowed until begin returns */
	/* Of this question, so that a repetition gives the earlier result; all zero: always new. */
	uint8_t opid[HD_OPID_BYTES];
	const char *call_id; /* for the log; or NULL */
	/* For the SecurityEvent, "IPV4/UDP/192.0.2.1/5060"; NULL: the source proved nothing. */
	const char *local_address, *remote_address;
};

/** What came of it. */
struct hd_operation_result {
	/* 0: decided, see result; HD_EBUSY, HD_EFULL, HD_ESHUTDOWN, HD_ENOMEM: not now, try again;
	   else the store's error. With an error nothing was changed. */
	int err;
	bool at_hash; /* of an error: it was the check of the PIN that could not be done */
	enum hd_desk_result result;
	/* As in struct hd_desk_request. */
	struct hd_desk_session session;
	char left_phone[HD_PHONE_ID_SIZE];
	char left_user[HD_NUMBER_SIZE];
	bool locked_now;
	/* Names of the three, or numbers and ids where they have none; "" when there is none. */
	char user_name[HD_NAME_SIZE];
	char left_phone_name[HD_NAME_SIZE];
	char left_user_name[HD_NAME_SIZE];
	char language[HD_LANGUAGE_SIZE]; /* of the user who logged in or out, or "" */
};
static inline bool hd_operation_is_success(const struct hd_operation_result *r)
{
	return !r->err && hd_desk_result_is_success(r->result);
}

/** The operation is gone when it returns. */
typedef void hd_operation_fn(void *arg, const struct hd_operation_result *result);

/**
 * Begins; `done` runs later, out of the mailbox, exactly once, never from within this call.
 * @param opp receives a handle that is valid until `done`; may be NULL
 * @return 0; HD_ENOMEM; HD_ELIMIT (a text that is longer than any number, PIN or id): nothing began
 */
HD_MUSTCHECK int hd_operation_begin(struct hd_operation **opp, struct hd_operations *os,
				    const struct hd_desk_ask *ask, hd_operation_fn *done,
				    void *arg);
/** The asker is gone: `done` will not run; the operation goes on. NULL-safe. */
void hd_operation_leave(struct hd_operation *op);

/**
 * The result for people, one line of UTF-8 text: "Anna Berg is logged in. Ben Kaya was logged out
 * here." Every refusal has the same text.
 * @param language "de", "de-AT", ...: German; anything else, "" and NULL: English
 */
void hd_operation_text(struct hd_buf *out, const char *language,
		       const struct hd_operation_result *result);
bool hd_language_is_german(const char *language);

#endif
