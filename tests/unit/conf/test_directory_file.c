/* test_directory_file.c - users and phones: what is taken, refused, and never repeated. */
#include "conf_support.h"

#include "hotdesk/directory_file.h"

#include <unistd.h>

static struct hd_directory_file *load(const char *text)
{
	struct hd_directory_file *file = NULL;
	struct hd_buf errors = { 0 };
	int err = hd_directory_file_parse(&file, hd_slice_of(text), "d", &errors);

	assert_string_equal(hd_buf_text(&errors), "");
	assert_int_equal(err, 0);
	assert_non_null(file);
	hd_buf_fini(&errors);
	return file;
}

static void test_good(void **state)
{
	struct hd_directory_file *f =
		load("users:\n"
		     "  - {number: \"201\", name: Anna Berg, pin: \"471147\", roaming: true}\n"
		     "  - number: 0202\n"
		     "    name: \"Ben \xc3\x87\"\n"
		     "    pin: 080261\n"
		     "    language: tr\n"
		     "    roaming: no\n"
		     "    disabled: true\n"
		     "  - {number: 203, name: null, pin: , language: \"\"}\n"
		     "phones:\n"
		     "  - {id: desk-101, secret: s3cret-101, mac: \"00:04:13:AA:bb:01\", model: "
		     "snom-d785, label: Desk 101}\n"
		     "  - {id: 0102, owner: 201, disabled: on}\n");

	(void)state;
	assert_int_equal(f->n_users, 3);
	assert_string_equal(f->users[0].number, "201");
	assert_string_equal(f->users[0].name, "Anna Berg");
	assert_string_equal(f->users[0].pin, "471147");
	assert_true(f->users[0].roaming && !f->users[0].disabled);
	assert_null(f->users[0].language);
	assert_int_equal(f->users[0].line, 2);
	assert_string_equal(f->users[1].number, "0202");
	assert_string_equal(f->users[1].name, "Ben \xc3\x87");
	assert_string_equal(f->users[1].pin, "080261");
	assert_string_equal(f->users[1].language, "tr");
	assert_true(!f->users[1].roaming && f->users[1].disabled);
	assert_int_equal(f->users[1].line, 3);
	assert_string_equal(f->users[2].number, "203");
	assert_true(f->users[2].roaming);
	assert_null(f->users[2].name);
	assert_null(f->users[2].pin);
	assert_null(f->users[2].language);
	assert_int_equal(f->n_phones, 2);
	assert_string_equal(f->phones[0].id, "desk-101");
	assert_string_equal(f->phones[0].secret, "s3cret-101");
	assert_string_equal(f->phones[0].mac, "000413aabb01");
	assert_string_equal(f->phones[0].model, "snom-d785");
	assert_string_equal(f->phones[0].label, "Desk 101");
	assert_null(f->phones[0].owner);
	assert_string_equal(f->phones[1].id, "0102");
	assert_string_equal(f->phones[1].owner, "201");
	assert_null(f->phones[1].secret);
	assert_true(f->phones[1].disabled);
	assert_int_equal(f->phones[1].line, 12);
	hd_directory_file_free(f);
}

static void test_nothing(void **state)
{
	static const char *const texts[] = { "", "{}", "users:\nphones: []\n", "users: null" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct hd_directory_file *f = load(texts[i]);

		assert_int_equal(f->n_users + f->n_phones, 0);
		hd_directory_file_free(f);
	}
	hd_directory_file_free(NULL);
}

static void test_json(void **state)
{
	struct hd_directory_file *f =
		load("{\"users\": [{\"number\": \"201\", \"pin\": 471147,\n"
		     "\t\"name\": \"A\\u00e9\\/\\\"\", \"roaming\": false}],\n"
		     "\"phones\": [{\"id\": \"p\", \"owner\": null}]}\n");

	(void)state;
	assert_string_equal(f->users[0].pin, "471147");
	assert_string_equal(f->users[0].name, "A\xc3\xa9/\"");
	assert_false(f->users[0].roaming);
	assert_string_equal(f->phones[0].id, "p");
	assert_null(f->phones[0].owner);
	hd_directory_file_free(f);
}

static void test_keys(void **state)
{
	struct hd_directory_file *f = load("users:\n"
					   "  - number: 201\n"
					   "    keys:\n"
					   "      - {place: 3, type: blf, label: Ben, value: 202}\n"
					   "      - {type: url, value: 'https://x/?a=1'}\n"
					   "  - {number: 202, keys: []}\n"
					   "  - {number: 203}\n"
					   "phones:\n"
					   "  - {id: a, keys: [{type: line}]}\n"
					   "  - {id: b, keys: }\n");

	(void)state;
	assert_int_equal(f->users[0].n_keys, 2);
	assert_int_equal(f->users[0].keys_line, 3);
	assert_string_equal(f->users[0].keys[0].place, "3");
	assert_string_equal(f->users[0].keys[0].type, "blf");
	assert_string_equal(f->users[0].keys[0].label, "Ben");
	assert_string_equal(f->users[0].keys[0].value, "202");
	assert_int_equal(f->users[0].keys[0].line, 4);
	assert_null(f->users[0].keys[1].place);
	assert_null(f->users[0].keys[1].label);
	/* An empty list is one, and takes the keys away; none leaves them. */
	assert_int_equal(f->users[1].n_keys, 0);
	assert_int_equal(f->users[1].keys_line, 6);
	assert_int_equal(f->users[2].keys_line, 0);
	assert_int_equal(f->phones[0].n_keys, 1);
	assert_null(f->phones[0].keys[0].value);
	assert_int_equal(f->phones[1].n_keys, 0);
	assert_int_equal(f->phones[1].keys_line, 0);
	hd_directory_file_free(f);
}

/* One more than a phone can have. */
static void test_too_many_keys(void **state)
{
	struct hd_directory_file *file = NULL;
	struct hd_buf text = { 0 }, errors = { 0 };

	(void)state;
	hd_buf_adds(&text, "users:\n  - number: 201\n    keys:\n");
	for (unsigned i = 0; i < 121; i++)
		hd_buf_adds(&text, "      - {type: line}\n");
	assert_int_equal(
		hd_directory_file_parse(&file, hd_slice_of(hd_buf_text(&text)), "d", &errors),
		HD_EPARSE);
	assert_string_equal(hd_buf_text(&errors),
			    "d:3: users.keys: 121 keys, expected at most 120\n");
	hd_buf_fini(&text);
	hd_buf_fini(&errors);
}

#define NUMBER "1 to 32 letters, digits and . _ - * #"

static const struct refused files[] = {
	{ "user: []\n", "d:1: unknown key \"user\", did you mean \"users\"?\n" },
	{ "users: {}\n", "d:1: users: a mapping, expected a list of {number: ...}\n" },
	{ "users: 201\n", "d:1: users: a single value, expected a list of {number: ...}\n" },
	{ "users:\n  - 471147\n",
	  "d:2: users: an entry that is a single value, expected {number: ...}\n" },
	{ "users:\n  -\n", "d:2: users: an entry that is empty, expected {number: ...}\n" },
	{ "users:\n  - {name: x}\n", "d:2: users: an entry without number, expected " NUMBER "\n" },
	{ "users:\n  - name: x\n    number: ~\n",
	  "d:3: users: an entry without number, expected " NUMBER "\n" },
	{ "users:\n  - {number: 2 1}\n", "d:2: users.number: \"2 1\", expected " NUMBER "\n" },
	{ "users:\n  - {number: 201, roaming: perhaps}\n",
	  "d:2: users.roaming: \"perhaps\", expected true or false\n" },
	{ "users:\n  - {number: 201, name: [x]}\n",
	  "d:2: users.name: a list, expected 1 to 128 bytes of text\n" },
	{ "users:\n  - {number: 201, nmae: x}\n",
	  "d:2: users: unknown key \"nmae\", did you mean \"name\"?\n" },
	{ "users:\n  - {number: 201, name: x, name: y}\n",
	  "d:2: users.name is there twice, first in line 2, expected once\n" },
	{ "users:\n  - {number: 201, pin: 4711x}\n",
	  "d:2: users.pin: not what it should be, expected 1 to 64 digits\n" },
	{ "users:\n  - {number: 201, pin: [471147]}\n",
	  "d:2: users.pin: a list, expected 1 to 64 digits\n" },
	{ "users:\n  - {number: 201, 471147: pin}\n",
	  "d:2: users: unknown key (no name), expected number, name, pin, language, logout, "
	  "group, call_list, class, roaming, disabled, hoteling or keys\n" },
	{ "phones:\n  - {id: a}\n  - {id: b}\n  - {id: a}\n  - {id: a}\n",
	  "d:4: phones.id: \"a\" is there twice, first as phones.id in line 2, expected once\n"
	  "d:5: phones.id: \"a\" is there twice, first as phones.id in line 2, expected once\n" },
	{ "phones:\n  - {id: '201'}\nusers:\n  - {number: 201}\n",
	  "d:4: users.number: \"201\" is there twice, first as phones.id in line 2, expected "
	  "once\n" },
	{ "phones:\n  - {id: a, mac: 000413aabb01}\n  - {id: b, mac: '00:04:13:AA:BB:01'}\n",
	  "d:3: phones.mac: \"000413aabb01\" is there twice, first as phones.mac in line 2, "
	  "expected "
	  "once\n" },
	{ "phones:\n  - {id: a, mac: 00:04}\n",
	  "d:2: phones.mac: \"00:04\", expected 12 hex digits, also in pairs with : or -\n" },
	{ "users:\n  - {number: 201, keys: 5}\n",
	  "d:2: users.keys: a single value, expected a list of {type: ...}\n" },
	{ "users:\n  - {number: 201, keys: [5]}\n",
	  "d:2: users.keys: an entry that is a single value, expected {type: ...}\n" },
	{ "users:\n  - number: 201\n    keys:\n      - {place: 1, value: 202}\n",
	  "d:4: users.keys: an entry without type, expected speed-dial, blf, line, url or "
	  "call-list\n" },
	{ "phones:\n  - id: a\n    keys:\n      - {type: BLF, value: 202}\n",
	  "d:4: phones.keys.type: \"BLF\", expected speed-dial, blf, line, url or call-list\n" },
	{ "phones:\n  - id: a\n    keys:\n      - {type: blf}\n",
	  "d:4: phones.keys: a blf key without value, expected one\n" },
	{ "phones:\n  - id: a\n    keys:\n      - {type: url, value: 202}\n",
	  "d:4: phones.keys.value: of a url key, expected http://... or https://...\n" },
	{ "phones:\n  - id: a\n    keys:\n      - {type: blf, value: 20 2}\n",
	  "d:4: phones.keys.value: \"20 2\", expected a number, code or URL of 1 to 256 characters "
	  "without spaces, quotes and < >\n"
	  "d:4: phones.keys: a blf key without value, expected one\n" },
	{ "phones:\n  - id: a\n    keys:\n      - {type: blf, value: 202, place: 121}\n"
	  "      - {type: blf, value: 202, place: 0}\n",
	  "d:4: phones.keys.place: \"121\", expected a number from 1 to 120\n"
	  "d:5: phones.keys.place: \"0\", expected a number from 1 to 120\n" },
	{ "users:\n  - number: 201\n    keys:\n      - {type: blf, value: 202, place: 3}\n"
	  "      - {type: line, place: 4}\n      - {type: blf, value: 203, place: 3}\n",
	  "d:6: users.keys: place 3 is taken twice, first in line 4, expected once\n" },
	{ "users:\n  - number: 201\n    keys:\n      - {type: blf, value: 202, colour: red}\n",
	  "d:4: users.keys: unknown key \"colour\", expected type, place, label or value\n" },
	{ "phones:\n  - {id: a, secret: \"s3\\ncret\"}\n",
	  "d:2: phones.secret: not what it should be, expected 1 to 128 bytes of text\n" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct hd_directory_file *file = NULL;
		struct hd_buf errors = { 0 };
		int err = hd_directory_file_parse(&file, hd_slice_of(files[i].text), "d", &errors);

		if (strcmp(hd_buf_text(&errors), files[i].errors) != 0)
			print_error("file %zu:\n%s\n", i, files[i].text);
		assert_string_equal(hd_buf_text(&errors), files[i].errors);
		assert_int_equal(err, HD_EPARSE);
		assert_null(file);
		hd_buf_fini(&errors);
	}
}

/* Wherever a PIN or a secret slips to, no message repeats it. */
static void test_secrets_stay_secret(void **state)
{
	static const char *const texts[] = {
		"users:\n  - {number: 201, pin: 98765x}\n",
		"users:\n  - {number: 201, pin: {98765: 1}}\n",
		"users:\n  - {number: 201, pin: [98765]}\n",
		"users:\n  - {number: 201, 98765}\n",
		"users:\n  - {number: 201, pin 98765}\n",
		"users:\n  - {number: 201, pin: \"98765}\n",
		"users:\n  - {number: 201, pin: 98765, pin: 98765}\n",
		"users:\n  - {number: 201, pin: *98765}\n",
		"users:\n  - {number: 201, pin: !98765 1}\n",
		"users:\n  - {number: 201, pin: %98765}\n",
		"users:\n  - {number: 201, pin: @98765}\n",
		"users:\n  - 98765\n",
		"users: 98765\n",
		"98765\n",
		"98765: 1\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct hd_directory_file *file = NULL;
		struct hd_buf errors = { 0 };

		assert_int_equal(
			hd_directory_file_parse(&file, hd_slice_of(texts[i]), "d", &errors),
			HD_EPARSE);
		if (strstr(hd_buf_text(&errors), "98765"))
			fail_msg("%s is repeated in: %s", texts[i], hd_buf_text(&errors));
		hd_buf_fini(&errors);
	}
}

/* A big office, once: no step may be quadratic. */
static void test_many(void **state)
{
	enum { MANY = 5000 };
	struct hd_buf text = { 0 };
	struct hd_directory_file *f;

	(void)state;
	hd_buf_adds(&text, "users:\n");
	for (int i = 0; i < MANY; i++)
		hd_buf_addf(&text, "- {number: \"%d\", name: User %d, pin: \"471147\"}\n", i, i);
	hd_buf_adds(&text, "phones:\n");
	for (int i = 0; i < MANY; i++)
		hd_buf_addf(&text, "- {id: p%d, mac: %012x}\n", i, (unsigned)i);
	f = load(hd_buf_text(&text));
	assert_int_equal(f->n_users, MANY);
	assert_string_equal(f->users[MANY - 1].number, "4999");
	assert_string_equal(f->phones[MANY - 1].mac, "000000001387");
	hd_directory_file_free(f);
	hd_buf_fini(&text);
}

static void test_load(void **state)
{
	char path[] = "/tmp/hd_test_directory_XXXXXX";
	int fd = mkstemp(path);
	struct hd_directory_file *file = NULL;
	struct hd_buf errors = { 0 };

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "users: [{number: 1}]\n", 21), 21);
	assert_int_equal(hd_directory_file_load(&file, path, &errors), 0);
	assert_int_equal(file->n_users, 1);
	hd_directory_file_free(file);
	assert_int_equal(ftruncate(fd, (off_t)100 * 1024 * 1024), 0);
	assert_int_equal(hd_directory_file_load(&file, path, &errors), HD_EPARSE);
	assert_non_null(strstr(hd_buf_text(&errors), ":1: too big, expected at most"));
	close(fd);
	unlink(path);
	assert_int_equal(hd_directory_file_load(&file, path, &errors), HD_ESYSTEM);
	hd_buf_fini(&errors);
}

/* The demo's own file. */
static void test_demo(void **state)
{
	char *text = read_source("conf/demo-directory.yaml");
	struct hd_directory_file *f = load(text);

	(void)state;
	assert_int_equal(f->n_users, 2);
	assert_string_equal(f->users[0].name, "Anna Berg");
	assert_string_equal(f->users[1].pin, "802615");
	assert_int_equal(f->n_phones, 4);
	assert_string_equal(f->phones[3].owner, "201");
	hd_directory_file_free(f);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_too_many_keys),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_secrets_stay_secret),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_demo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
