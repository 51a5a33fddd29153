/* test_account.c - accounts at a PBX: sealed, each for itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/account.h"

static struct hd_store *store;
static struct hd_accounts *accounts;
static struct hd_account account;

static int set_up(void **state)
{
	const struct hd_store_options options = { 0 };
	const struct hd_key master = { { 7 } };

	(void)state;
	assert_int_equal(hd_secret_init(), 0);
	assert_int_equal(hd_store_open_mem(&store, &options), 0);
	assert_int_equal(hd_accounts_new(&accounts, store, &master), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hd_accounts_free(accounts);
	hd_store_close(store);
	return 0;
}

static int run_put(struct hd_txn *txn, void *arg)
{
	return hd_accounts_put(accounts, txn, HD_ACCOUNT_OF_USER, arg, &account);
}

static int run_forget(struct hd_txn *txn, void *arg)
{
	return hd_accounts_forget(accounts, txn, HD_ACCOUNT_OF_USER, arg);
}

static int run_note(struct hd_txn *txn, void *arg)
{
	return hd_accounts_note(accounts, txn, arg, true);
}

static int run_strike(struct hd_txn *txn, void *arg)
{
	return hd_accounts_note(accounts, txn, arg, false);
}

static int put(const char *number, const char *user, const char *secret)
{
	account = (struct hd_account){ 0 };
	assert_int_equal(hd_str_set(account.user, sizeof(account.user), user), 0);
	assert_int_equal(hd_str_set(account.secret, sizeof(account.secret), secret), 0);
	return hd_store_execute(store, run_put, (void *)(uintptr_t)number);
}

static int get(enum hd_account_kind kind, const char *name)
{
	struct hd_txn *txn;
	int err;

	assert_int_equal(hd_store_begin_read(store, &txn), 0);
	err = hd_accounts_get(accounts, txn, kind, name, &account);
	hd_store_end_read(txn);
	return err;
}

static void test_account(void **state)
{
	(void)state;
	assert_int_equal(get(HD_ACCOUNT_OF_USER, "201"), HD_ENOENT);
	assert_int_equal(put("201", "ext201", "top \"secret\""), 0);
	assert_int_equal(put("202", "ext202", ""), 0);
	assert_int_equal(get(HD_ACCOUNT_OF_USER, "201"), 0);
	assert_string_equal(account.user, "ext201");
	assert_string_equal(account.secret, "top \"secret\"");
	assert_int_equal(get(HD_ACCOUNT_OF_USER, "202"), 0);
	assert_string_equal(account.secret, "");
	assert_int_equal(get(HD_ACCOUNT_OF_PEER, "201"), HD_ENOENT);
	assert_int_equal(hd_store_execute(store, run_forget, "201"), 0);
	assert_int_equal(hd_store_execute(store, run_forget, "201"), 0);
	assert_int_equal(get(HD_ACCOUNT_OF_USER, "201"), HD_ENOENT);
	assert_int_equal(get(HD_ACCOUNT_OF_USER, ""), HD_ENOENT);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(put("201", "", "x"), HD_EINVAL);
	assert_int_equal(put("201", "a b", "x"), HD_EINVAL);
	assert_int_equal(put("201", "a\"b", "x"), HD_EINVAL);
	assert_int_equal(put("201", "a", "x\r\ny"), HD_EINVAL);
	assert_int_equal(put("", "a", "x"), HD_EINVAL);
}

static void test_another_key(void **state)
{
	const struct hd_key other = { { 8 } };
	struct hd_accounts *mine = accounts;

	(void)state;
	assert_int_equal(put("201", "ext201", "secret"), 0);
	assert_int_equal(hd_accounts_new(&accounts, store, &other), 0);
	assert_int_equal(get(HD_ACCOUNT_OF_USER, "201"), HD_ECORRUPT);
	assert_string_equal(account.secret, "");
	hd_accounts_free(accounts);
	accounts = mine;
}

static void test_notes(void **state)
{
	char name[80] = "";
	struct hd_txn *txn;

	(void)state;
	assert_int_equal(hd_store_execute(store, run_note, "pbx/201"), 0);
	assert_int_equal(hd_store_execute(store, run_note, "pbx/202"), 0);
	assert_int_equal(hd_store_execute(store, run_strike, "pbx/201"), 0);
	assert_int_equal(hd_store_execute(store, run_strike, "pbx/201"), 0);
	assert_int_equal(hd_store_begin_read(store, &txn), 0);
	assert_int_equal(hd_accounts_next_noted(accounts, txn, name, name, sizeof(name)), 0);
	assert_string_equal(name, "pbx/202");
	assert_int_equal(hd_accounts_next_noted(accounts, txn, name, name, sizeof(name)),
			 HD_ENOENT);
	hd_store_end_read(txn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_account, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_notes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
