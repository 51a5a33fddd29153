/* admin_priv.h - what the files of admin/ know of each other. */
#ifndef ADMIN_PRIV_H
#define ADMIN_PRIV_H

#include "hotdesk/admin.h"

enum { ADMIN_PIN_SIZE = 65, ADMIN_SECRET_SIZE = 129, ADMIN_SUBJECT_SIZE = 96 };

struct import_op;

struct hd_admin {
	struct hd_admin_options o;
	char realm[HD_REALM_SIZE];
	struct hd_worker *slow;	  /* backups: not to be waited for by anyone else */
	struct import_op *import; /* one at a time */
	bool ready;
	bool closing;	    /* hd_admin_free() was called */
	unsigned under_way; /* operations that still point here */
};

/* ---- op.c: one write, from its request to its answer ----------------------------------------- */

struct admin_op {
	struct hd_admin *admin;
	struct hd_http_request *req; /* NULL once answered, or when there was none */
	size_t size;		     /* of the whole object, which begins with this */
	int64_t now_ms;
	uint8_t opid[HD_OPID_BYTES];
	char subject[ADMIN_SUBJECT_SIZE]; /* "user 201", for the log */
	const char *what;		  /* "added": may be set as late as in done() */
	char who[64];
	bool desk_changed;		      /* tell the phones after the commit */
	void (*hashed)(struct admin_op *op);  /* after op_work(), on the control thread */
	void (*done)(struct admin_op *op);    /* after the commit: answers and frees */
	void (*release)(struct admin_op *op); /* what the object owns; may be NULL */
	/* The command failed: ends the operation by op_fail() or op_refuse(). NULL: op_fail(). */
	void (*failed)(struct admin_op *op, int err);
	struct hd_job job;
	struct hd_command command;
};
/** A zeroed object of that size. Answers 503 and gives NULL when there is no memory. */
void *op_new(struct hd_admin *admin, struct hd_http_request *req, size_t size);
void op_subject(struct admin_op *op, const char *kind, const char *name);
/** Wipes and frees; a request that is still open must have been answered. */
void op_free(struct admin_op *op);
/** Runs `run` on a worker, then op->hashed. @return 0 or HD_EBUSY */
HD_MUSTCHECK int op_work(struct admin_op *op, struct hd_worker *worker,
			 void (*run)(struct hd_job *job));
/** Submits the command; on success op->done, else the refusal, ends the operation. */
void op_submit(struct admin_op *op, hd_command_fn *run, void *arg);
/** Refuses: log, answer, free. */
void op_fail(struct admin_op *op, int err, const char *detail);
void op_refuse(struct admin_op *op, unsigned status, const char *word, const char *detail);
/** The answer {"result": what} and the end. */
void op_finish_plain(struct admin_op *op);
/** Answers with a JSON text that is moved in, and ends. */
void op_finish(struct admin_op *op, unsigned status, struct hd_buf *json);
struct admin_op *op_of_job(struct hd_job *job);

/** Reads the body by a table; answers the refusal itself. @return true when there are values */
bool body_read(struct hd_http_request *req, const struct hd_json_field *fields, size_t n);

/* ---- user_settings.c ------------------------------------------------------------------------- */

enum { SETTINGS_FIELDS = 5 + HD_FORWARD_COUNT };
struct settings_given {
	bool hoteling, dnd;
	char forward[HD_FORWARD_COUNT][HD_FORWARD_TO_SIZE]; /* "" : not forwarded */
	char rings[4];
	bool has_hoteling, has_dnd, has_forward[HD_FORWARD_COUNT], has_rings;
	struct hd_account account; /* at the PBX; user "": none any more */
	bool has_account_user, has_account_secret;
};
/** The members of a user's body that are settings. @return how many */
size_t settings_fields(struct hd_json_field fields[SETTINGS_FIELDS], struct settings_given *given);
/**
 * Writes what was given, and a new PIN ("" : none any more, NULL: not given) where it is kept.
 * @return 0, HD_EINVAL, or the store's error
 */
HD_MUSTCHECK int settings_write(struct hd_txn *txn, struct admin_op *op, const char *number,
				const struct settings_given *given, const char *pin);
HD_MUSTCHECK int show_settings(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
			       const char *number);

/* ---- upstreams.c: our accounts at the PBX or trunks behind us -------------------------------- */

/**
 * Writes what was given of an account; the rest of it stays.
 * @param user, secret NULL: not given
 * @return 0, HD_EINVAL (no user, or what cannot stand in a header) or the store's error
 */
HD_MUSTCHECK int account_write(struct hd_txn *txn, struct hd_admin *admin,
			       enum hd_account_kind kind, const char *name, const char *user,
			       const char *secret);
void upstream_put(struct hd_http_request *req, void *arg);
void upstream_delete(struct hd_http_request *req, void *arg);

/* ---- effects.c: what ends when a user or phone changes; inside a command --------------------- */

/** Ends what a written record no longer allows. *endedp: desk sessions. */
HD_MUSTCHECK int user_settle(struct hd_txn *txn, struct admin_op *op, const struct hd_user *user,
			     uint32_t *endedp);
HD_MUSTCHECK int phone_settle(struct hd_txn *txn, struct admin_op *op, const struct hd_phone *phone,
			      uint32_t *endedp);

/**
 * What is kept of a phone that was written, beside the record: its URL, and its secret sealed when
 * it is to be provisioned.
 * @param secret NULL: none was given, the kept one stays; "": taken away
 */
HD_MUSTCHECK int phone_keep(struct hd_txn *txn, struct hd_admin *admin,
			    const struct hd_phone *phone, const char *secret);
struct key_list {
	char kind; /* 'u' or 'p' */
	const char *name;
	const struct hd_phone_key *keys;
	size_t n;
};
/** Whether others are stored. @return 0 or the store's error */
HD_MUSTCHECK int keys_compare(struct hd_txn *txn, const struct hd_admin *admin,
			      const struct key_list *list, bool *changedp);
/** Replaces the keys, and tells the phone that shows them. *changedp: they were others. */
HD_MUSTCHECK int keys_replace(struct hd_txn *txn, struct admin_op *op, const struct key_list *list,
			      bool *changedp);

/* ---- tell.c: phones that show what was changed; inside a command ----------------------------- */

HD_MUSTCHECK int tell_phone(struct hd_txn *txn, struct admin_op *op, const char *id);
/** The phone where a user sits, if any. */
HD_MUSTCHECK int tell_user(struct hd_txn *txn, struct admin_op *op, const char *number);
/** The phones that belong to these users, whose names they show. Sorts the numbers. */
HD_MUSTCHECK int tell_owned(struct hd_txn *txn, struct admin_op *op, const char **numbers,
			    size_t n);

/* ---- show.c: records as JSON ----------------------------------------------------------------- */

/** A snapshot for a read; answers the refusal itself. @return NULL then */
struct hd_txn *read_begin(struct hd_admin *admin, struct hd_http_request *req);
/** ?after= and ?limit= */
struct page {
	const char *after;
	uint64_t limit;
};
typedef int page_fn(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		    const struct page *page);
/** Answers a list with what fn writes of one page. */
void page_answer(struct hd_http_request *req, struct hd_admin *admin, const char *what,
		 page_fn *fn);
/** Users or phones, one after the other. */
union record {
	struct hd_user user;
	struct hd_phone phone;
};
struct record_kind {
	const char *rows, *name; /* of the list and of what a row is called by */
	int (*next)(struct hd_directory *dir, struct hd_txn *txn, const char *after,
		    union record *record);
	const char *(*name_of)(const union record *record);
	int (*show)(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		    const union record *record);
};
/** A page of them; one that cannot be read is said to be damaged. */
HD_MUSTCHECK int records_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
			      const struct page *page, const struct record_kind *kind);
typedef int whole_fn(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		     const char *name);
/** Answers with what fn writes of the one that the path names. */
void whole_answer(struct hd_http_request *req, struct hd_admin *admin, const char *kind,
		  whole_fn *fn);
void show_user(struct hd_json *j, const struct hd_user *user);
void show_phone(struct hd_json *j, const struct hd_phone *phone);
void show_session(struct hd_json *j, const char *key, const struct hd_desk_session *session);
void show_binding(struct hd_json *j, const char *aor, const struct hd_binding *binding);
/** The keys of a user or phone as the array "keys". @return 0 or the store's error */
HD_MUSTCHECK int show_keys(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn, char kind,
			   const char *name);
void show_lock(struct hd_json *j, const struct hd_desk_lock *lock, int64_t now_ms);

/* ---- import.c, import_file.c, export.c ------------------------------------------------------- */

struct hd_directory_file;
struct hd_file_key;
struct hd_file_user;

/** Refuses an import that waits for its turn at the hash thread: nobody will wake it any more. */
void import_cancel(struct import_op *im);

/**
 * Records from a parsed file, with HA1s, without PIN hashes; PINs are checked by the policy.
 * @param errors receives "NAME:LINE: why" for each refusal
 * @return 0, HD_EACCESS (see errors), HD_ENOMEM; release with import_records_free() either way
 */
HD_MUSTCHECK int import_records(struct hd_directory_batch *batch,
				const struct hd_directory_file *file, const struct hd_admin *admin,
				const char *name, struct hd_buf *errors);
void import_records_free(struct hd_directory_batch *batch);
/**
 * The hash of one PIN: the stored one when the PIN verifies against it, else a new one. Slow.
 * @param stored the user's present hash, or ""
 */
HD_MUSTCHECK int import_hash(struct hd_user *to, const struct hd_file_user *from,
			     const char *stored, const struct hd_key *pepper,
			     const struct hd_pin_cost *cost);
/** Keys from a parsed file. @return 0, HD_ELIMIT, HD_EINVAL */
HD_MUSTCHECK int import_keys(struct hd_phone_key *to, const struct hd_file_key *from, size_t n);
/** For a file of columns: what has none stays as it is stored; inside a command. */
HD_MUSTCHECK int import_merge(struct hd_directory_batch *batch,
			      const struct hd_directory_file *file, const struct hd_admin *admin,
			      struct hd_txn *txn);
/**
 * Rows of JSON, one per user and phone: what an import would do, before it does; inside a command.
 * PINs and secrets are named, never shown.
 */
HD_MUSTCHECK int import_diff(struct hd_json *j, const struct hd_directory_batch *batch,
			     const struct hd_directory_file *file, const struct hd_admin *admin,
			     struct hd_txn *txn);
/** "NAME:LINE: why" for the culprit of hd_directory_apply(). */
void import_culprit(struct hd_buf *errors, const struct hd_directory_file *file, const char *name,
		    const struct hd_directory_batch *batch, int err);
/**
 * The directory as the YAML that import reads, without credentials. @return 0 or the store's error
 */
HD_MUSTCHECK int export_write(struct hd_admin *admin, struct hd_txn *txn, struct hd_buf *out);

/* ---- handlers -------------------------------------------------------------------------------- */

void users_list(struct hd_http_request *req, void *admin);
void user_show(struct hd_http_request *req, void *admin);
void user_post(struct hd_http_request *req, void *admin);
void user_put(struct hd_http_request *req, void *admin);
void user_patch(struct hd_http_request *req, void *admin);
void user_delete(struct hd_http_request *req, void *admin);
void user_unlock(struct hd_http_request *req, void *admin);
void user_keys_list(struct hd_http_request *req, void *admin);
void user_key_put(struct hd_http_request *req, void *admin);
void user_key_delete(struct hd_http_request *req, void *admin);
void phones_list(struct hd_http_request *req, void *admin);
void phone_show(struct hd_http_request *req, void *admin);
void phone_post(struct hd_http_request *req, void *admin);
void phone_put(struct hd_http_request *req, void *admin);
void phone_patch(struct hd_http_request *req, void *admin);
void phone_delete(struct hd_http_request *req, void *admin);
void phone_unlock(struct hd_http_request *req, void *admin);
void phone_url(struct hd_http_request *req, void *admin);
void phone_token(struct hd_http_request *req, void *admin);
void phone_render(struct hd_http_request *req, void *admin);
void phone_keys_list(struct hd_http_request *req, void *admin);
void phone_key_put(struct hd_http_request *req, void *admin);
void phone_key_delete(struct hd_http_request *req, void *admin);
void sessions_list(struct hd_http_request *req, void *admin);
void audit_list(struct hd_http_request *req, void *admin);
void session_login(struct hd_http_request *req, void *admin);
void session_logout(struct hd_http_request *req, void *admin);
void bindings_list(struct hd_http_request *req, void *admin);
void healthz_get(struct hd_http_request *req, void *admin);
void readyz_get(struct hd_http_request *req, void *admin);
void metrics_get(struct hd_http_request *req, void *admin);
void status_get(struct hd_http_request *req, void *admin);
void import_post(struct hd_http_request *req, void *admin);
void export_get(struct hd_http_request *req, void *admin);
void backup_post(struct hd_http_request *req, void *admin);
void check_post(struct hd_http_request *req, void *admin);
void repair_post(struct hd_http_request *req, void *admin);
void reload_post(struct hd_http_request *req, void *admin);

/** Adds the gauges of service.c to the registry. */
void service_register_metrics(void);

#endif
