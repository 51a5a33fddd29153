/* test_directory_csv.c - users and phones as spreadsheets and PBXes export them. */
#include "conf_support.h"

#include "hotdesk/directory_file.h"

static struct hd_directory_file *load(const char *text, bool loose)
{
	struct hd_directory_file *file = NULL;
	struct hd_buf errors = { 0 };
	int err = hd_directory_csv_parse(&file, hd_slice_of(text), "d", loose, &errors);

	assert_string_equal(hd_buf_text(&errors), "");
	assert_int_equal(err, 0);
	assert_non_null(file);
	hd_buf_fini(&errors);
	return file;
}

static void test_users_and_phones(void **state)
{
	struct hd_directory_file *f = load(
		"\xef\xbb\xbf"
		"Number,Name,pin,Phone,Phone-Secret,phone mac,phone_owner,disabled\r\n"
		"201,\"Berg, Anna \"\"A\"\"\",471147,desk-1,s3cret-1,00:04:13:AA:BB:01,201,\r\n"
		"\r\n"
		"0202,Ben \xc3\x87, 080261 ,,,,,TRUE\r\n"
		",,,desk-2,,,,\r\n"
		",,,,,,,\r\n"
		"203,null,\"\",,,,,0",
		false);

	(void)state;
	assert_int_equal(f->n_users, 3);
	assert_int_equal(f->n_phones, 2);
	assert_string_equal(f->users[0].name, "Berg, Anna \"A\"");
	assert_string_equal(f->users[0].pin, "471147");
	assert_true(f->users[0].roaming && !f->users[0].disabled);
	assert_int_equal(f->users[0].line, 2);
	assert_string_equal(f->users[1].number, "0202");
	assert_string_equal(f->users[1].pin, "080261");
	assert_true(f->users[1].disabled);
	assert_int_equal(f->users[1].line, 4);
	assert_string_equal(f->users[2].name, "null");
	assert_null(f->users[2].pin);
	assert_false(f->users[2].disabled);
	assert_string_equal(f->phones[0].id, "desk-1");
	assert_string_equal(f->phones[0].mac, "000413aabb01");
	assert_string_equal(f->phones[0].owner, "201");
	assert_string_equal(f->phones[1].id, "desk-2");
	assert_null(f->phones[1].secret);
	assert_int_equal(f->phones[1].line, 5);
	assert_true(hd_directory_file_says(f, false, "name"));
	assert_false(hd_directory_file_says(f, false, "language"));
	assert_false(hd_directory_file_says(f, false, "keys"));
	assert_true(hd_directory_file_says(f, true, "owner"));
	assert_false(hd_directory_file_says(f, true, "disabled"));
	hd_directory_file_free(f);
}

static void test_separators_and_other_columns(void **state)
{
	static const char *const texts[] = {
		"extension;name;outboundcid;voicemail\n201;Berg, Anna;x;y\n",
		"extension\tname\tvoicemail\n201\tBerg, Anna\t\"a\n\tb\"\r\n",
		"\n\nextension,\"name\",a\r201,\"Berg, Anna\",\"\"\r",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct hd_directory_file *f = load(texts[i], true);

		assert_int_equal(f->n_users, 1);
		assert_int_equal(f->n_phones, 0);
		assert_string_equal(f->users[0].number, "201");
		assert_string_equal(f->users[0].name, "Berg, Anna");
		hd_directory_file_free(f);
	}
}

static const struct {
	const char *text, *errors; /* the whole of them, or their beginning */
} bad[] = {
	{ "", "d:1: empty, expected a line with the names of columns\n" },
	{ "201,Anna,471147\n", "d:1: a first line that does not name a column number or phone, "
			       "expected names from number, name, pin, " },
	{ "number,colour\n201,blue\n", "d:1: unknown column \"colour\", expected number, name, " },
	{ "number,id\n", "d:1: unknown column \"id\", expected " },
	{ "number,extension\n", "d:1: the column \"extension\" is there twice, expected once\n" },
	{ "number,name\n201\n202,x,y\n",
	  "d:2: 1 cells, expected 2 as in line 1\nd:3: 3 cells, expected 2 as in line 1\n" },
	{ "number,name\n,Anna\n", "d:2: users: an entry without number, expected " },
	{ "number,pin\n201,s3cret\n",
	  "d:2: users.pin: not what it should be, expected 1 to 64 digits\n" },
	{ "number,roaming\n201,vielleicht\n",
	  "d:2: users.roaming: \"vielleicht\", expected true or false\n" },
	{ "number\n201\n202\n201\n", "d:4: users.number: \"201\" is there twice, first as "
				     "users.number in line 2, expected once\n" },
	{ "number,name\n201,J\xfcrgen\n",
	  "d:2: column 2: not text, expected a file saved as \"CSV UTF-8\"\n" },
	{ "number,name\n201,\"An\nna\"\n", "d:2: column 2: not text, " },
	{ "number,name\n201,\"Anna\n202,Ben\n",
	  "d:2: a quoted cell without end, expected another \"\n" },
	{ "number,name\n201,\"Anna\" B\n",
	  "d:2: text after a quoted cell, expected \"\" for a quote within it\n" },
	{ "number,name\n201,Anna \"B\"\n",
	  "d:2: a quote within a cell without quotes, expected quotes around it\n" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hd_directory_file *file = NULL;
		struct hd_buf errors = { 0 };
		int err = hd_directory_csv_parse(&file, hd_slice_of(bad[i].text), "d", false,
						 &errors);

		if (err != HD_EPARSE || file ||
		    strncmp(hd_buf_text(&errors), bad[i].errors, strlen(bad[i].errors)) != 0)
			fail_msg("row %zu: expected \"%s\", got %d \"%s\"", i, bad[i].errors, err,
				 hd_buf_text(&errors));
		assert_null(strstr(hd_buf_text(&errors), "471147"));
		assert_null(strstr(hd_buf_text(&errors), "s3cret"));
		hd_buf_fini(&errors);
	}
}

static void test_too_wide(void **state)
{
	struct hd_buf text = { 0 }, errors = { 0 };
	struct hd_directory_file *file = NULL;

	(void)state;
	hd_buf_adds(&text, "number");
	for (size_t i = 0; i < 256; i++)
		hd_buf_addf(&text, ",c%zu", i);
	assert_int_equal(
		hd_directory_csv_parse(&file, hd_slice_of(hd_buf_text(&text)), "d", true, &errors),
		HD_EPARSE);
	assert_string_equal(hd_buf_text(&errors), "d:1: too many columns, expected at most 256\n");
	hd_buf_fini(&text);
	hd_buf_fini(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users_and_phones),
		cmocka_unit_test(test_separators_and_other_columns),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
