/* SPDX-License-Identifier: ISC */
/* replay.c: runs a fuzz target without a fuzzer: on each of its seeds, and on a fixed number of
 * mutations of each seed, the same ones in every run. Knows files and mutations; does not know
 * what the target tests. With arguments it runs on those files only:
 *
 *     tests/fuzz/fuzz_form FILE...
 *
 * The input under way is kept in PROGRAM.input, so that it is there after a crash of any kind. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { MUTATIONS = 64, STEPS_MAX = 4, SEED_SIZE_MAX = 64 * 1024, GROWTH_MAX = STEPS_MAX * 32 };

struct input {
    uint8_t bytes[SEED_SIZE_MAX + GROWTH_MAX];
    size_t size;
};

static char input_path[PATH_MAX]; /* PROGRAM.input */
static int input_file;
static struct input seed, mutant;

static int replay_folder(const char *folder);
static void replay_seed(const char *path);
static void replay_file(const char *path);
static void run(const struct input *input);
static void mutate(struct input *input, uint64_t *random);

static void fail(const char *path)
{
    perror(path);
    exit(1);
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');
    char folder[PATH_MAX];
    int seeds = 0;

    name = name == NULL ? argv[0] : name + 1;
    name = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
    snprintf(folder, sizeof folder, "%s/%s", FUZZ_SEEDS, name);
    snprintf(input_path, sizeof input_path, "%s.input", argv[0]);
    input_file = open(input_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (input_file < 0) {
        fail(input_path);
    }
    if (argc > 1) {
        for (int i = 1; i < argc; i++) {
            replay_file(argv[i]);
            run(&seed);
        }
        printf("%s: %d files\n", name, argc - 1);
    } else {
        seeds = replay_folder(folder);
        printf("%s: %d seeds, %d mutations\n", name, seeds, seeds * MUTATIONS);
    }
    unlink(input_path);
    return argc > 1 || seeds > 0 ? 0 : 1;
}

/* In the order of their names. Returns how many there are. */
static int replay_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    int seeds = 0;

    if (count < 0) {
        fail(folder);
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            char *path;

            if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0) {
                fail(folder);
            }
            replay_seed(path);
            free(path);
            seeds++;
        }
        free(entries[i]);
    }
    free(entries);
    return seeds;
}

static void replay_seed(const char *path)
{
    replay_file(path);
    run(&seed);
    uint64_t random = fuzz_hash((struct text){(const char *)seed.bytes, seed.size});
    for (int i = 0; i < MUTATIONS; i++) {
        mutant = seed;
        mutate(&mutant, &random);
        run(&mutant);
    }
}

/* Into `seed`. */
static void replay_file(const char *path)
{
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        fail(path);
    }
    seed.size = fread(seed.bytes, 1, SEED_SIZE_MAX, file);
    if (ferror(file) || !feof(file)) {
        fprintf(stderr, "%s: cannot be read, or is larger than %d bytes\n", path, SEED_SIZE_MAX);
        exit(1);
    }
    fclose(file);
}

/* In memory of exactly the input's size, so that sanitizers see a read behind its end. */
static void run(const struct input *input)
{
    uint8_t *copy = malloc(input->size);

    if ((copy == NULL && input->size > 0) ||
        pwrite(input_file, input->bytes, input->size, 0) != (ssize_t)input->size ||
        ftruncate(input_file, (off_t)input->size) != 0) {
        fail(input_path);
    }
    if (input->size > 0) {
        memcpy(copy, input->bytes, input->size);
    }
    LLVMFuzzerTestOneInput(copy, input->size);
    free(copy);
}

/* Makes room for `more` bytes at `at`. */
static void insert(struct input *input, size_t at, size_t more)
{
    memmove(input->bytes + at + more, input->bytes + at, input->size - at);
    input->size += more;
}

/* One to STEPS_MAX small changes of the kinds that parsers get wrong. */
static void mutate(struct input *input, uint64_t *random)
{
    static const uint8_t telling[] = {0,   1,   0x7f, 0x80, 0xff, '\n', '\r', '"', '%',
                                      '&', '+', '.',  ':',  ';',  '=',  '\\', '{', '}'};

    for (size_t steps = 1 + fuzz_random(random, STEPS_MAX); steps > 0; steps--) {
        size_t at = fuzz_random(random, input->size + 1);
        size_t left = input->size - at;
        size_t length = 1 + fuzz_random(random, 16);

        length = length < left ? length : left;
        switch (fuzz_random(random, 6)) {
        case 0: /* flip a bit */
            if (left > 0) {
                input->bytes[at] ^= (uint8_t)(1 << fuzz_random(random, 8));
            }
            break;
        case 1: /* a byte that means something somewhere */
            if (left > 0) {
                input->bytes[at] = telling[fuzz_random(random, sizeof telling)];
            }
            break;
        case 2: /* the same, inserted */
            insert(input, at, 1);
            input->bytes[at] = telling[fuzz_random(random, sizeof telling)];
            break;
        case 3: /* leave out a piece */
            memmove(input->bytes + at, input->bytes + at + length, left - length);
            input->size -= length;
            break;
        case 4: /* repeat a piece */
            insert(input, at, length);
            memmove(input->bytes + at, input->bytes + at + length, length);
            break;
        case 5: /* end early */
            input->size = at;
            break;
        }
    }
}
