/* SPDX-License-Identifier: ISC */
/* world.c: see world.h. */
#include "operation/world.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"
#include "base/whole_file.h"
#include "operation/password.h"
#include "token/jws.h"
#include "token/layout.h"
#include "token/refresh_token.h"

static void open_secrets(struct world *world);

static int64_t world_now(void *self)
{
    return ((struct world *)self)->now_ms;
}

static void world_boot(void *self, struct clock_moment *moment)
{
    const struct world *world = self;

    moment->boot = world->boot.boot;
    moment->boot_ms = world->boot.boot_ms;
}

static bool world_random(void *self, void *out, size_t size)
{
    uint64_t *next = &((struct world *)self)->random;
    uint8_t *bytes = out;

    for (size_t i = 0; i < size; i++) {
        *next = *next * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(*next >> 56);
    }
    return true;
}

void world_add_key(struct world *world, enum signing_algorithm algorithm, const char *kid)
{
    struct signing_row row = {.state = SIGNING_ACTIVE};
    struct signing_key *key =
        signing_key_generate(algorithm, kid, &world->issuer.randomness, &world->fault);

    assert_non_null(key);
    assert_true(
        signing_key_seal(key, &world->secrets, &world->issuer.randomness, &row, &world->fault));
    assert_int_equal(store_key_add(world->store, &row, &world->fault), STORE_OK);
    signing_key_close(key);
}

static void write_native(struct json_out *out, const struct layout_claims *claims)
{
    layout_add_named(out, "iss", claims->issuer);
    json_out_member(out, "sub", claims->subject);
    layout_add_audience(out, claims, claims->audience);
    layout_add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
    json_out_member(out, "jti", text_of(claims->jti));
    layout_add_named(out, "client_id", claims->client);
    layout_add_named(out, "scope", claims->scope);
    json_out_member(out, "sid", text_of(claims->session));
    layout_add_words(out, "roles", claims->roles);
    layout_add_key(out, claims);
}

static void write_jwt(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "sub", claims->username);
    layout_add_words(out, "roles", claims->roles);
    layout_add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
}

static const struct layout native_layout = {
    .header = {{"typ", "JWT"}, {.name = "alg"}, {.name = "kid"}},
    .access = write_native,
    .session_claim = "sid",
    .says_scope = true,
    .says_audience = true,
    .says_targets = true};
static const struct layout jwt_layout = {
    .header = {{.name = "alg"}}, .access = write_jwt, .refresh = write_jwt};

static void hash_password(struct world *world, struct text password,
                          char hash[PASSWORD_HASH_MAX + 1]);

static void fill_mount(struct mount *mount, struct realm *realm)
{
    struct policy *policy = &realm->policy;

    strcpy(mount->path, "/oauth/token");
    mount->realm = realm;
    strcpy(realm->name, "/oauth/token");
    strcpy(realm->issuer, "https://id.example");
    realm->issuer_is_own = true;
    strcpy(realm->audience, "api");
    policy->rotate = true;
    policy->concurrency_window_ms = 60 * CLOCK_SECOND;
    policy->recovery_generations = 1;
    policy->idle_lifetime_ms = 30 * (int64_t)CLOCK_DAY;
    policy->access_lifetime_ms = CLOCK_HOUR;
    policy->bearer_max_age_ms = 30 * (int64_t)CLOCK_DAY;
    policy->format = REFRESH_FORMAT_NATIVE;
    policy->layout = &native_layout;
    policy->algorithm = SIGNING_HS256;
    policy->scope_rule = SCOPE_SUBSET;
}

void world_open(struct world *world)
{
    struct randomness randomness = {world_random, world};
    struct clock clock = {.now_ms = world_now, .self = world, .boot = world_boot};

    memset(world, 0, sizeof *world);
    assert_true(scratch_make(world->scratch));
    assert_true(store_url_default(world->scratch, world->url, sizeof world->url));
    world->now_ms = INT64_C(1800000000000);
    world->arena = arena_open((size_t)8 << 20);
    assert_non_null(world->arena);
    open_secrets(world);
    world->settings = (struct store_settings){.url = world->url,
                                              .create = true,
                                              .keep_ended_ms = CLOCK_DAY,
                                              .clock = clock,
                                              .derived_alias = refresh_token_derived_alias,
                                              .derived_alias_self = &world->secrets};
    memcpy(world->settings.record_key, world->secrets.record, sizeof world->settings.record_key);
    world->store = store_open(&world->settings, &world->fault);
    assert_non_null(world->store);
    assert_true(issuer_open(&world->issuer, world->store, &world->secrets, clock, randomness,
                            &world->fault));
    world_add_key(world, SIGNING_HS256, "k1");
    strcpy(world->ada.name, "ada");
    strcpy(world->ada.roles, "admin user");
    world->ada.enabled = true;
    world->issuer.password_method = (struct password_method){PASSWORD_YESCRYPT, 1};
    hash_password(world, TEXT("correct horse"), world->ada.password);
    assert_int_equal(store_account_add(world->store, &world->ada, &world->fault), STORE_OK);
    fill_mount(&world->mount, &world->realm);
}

/* From a file, so that they can roll. */
static void open_secrets(struct world *world)
{
    static const char master[] = "a master secret for tests, 32 by";
    char content[2 * SECRETS_MASTER_SIZE + 2];

    snprintf(world->secret_file, sizeof world->secret_file, "%s/secret", world->scratch);
    codec_hex_encode(master, SECRETS_MASTER_SIZE, content);
    content[2 * SECRETS_MASTER_SIZE] = '\n';
    assert_int_equal(whole_file_create(world->secret_file,
                                       (struct text){content, 2 * SECRETS_MASTER_SIZE + 1}, 0600,
                                       &world->fault),
                     WHOLE_FILE_DONE);
    assert_true(secrets_open_file(world->secret_file, false, &world->secrets, &world->fault));
}

uint8_t world_roll(struct world *world)
{
    uint8_t number;

    assert_true(secrets_file_add(world->secret_file, world->now_ms, &world->issuer.randomness,
                                 &number, &world->fault));
    assert_int_equal(secrets_follow(&world->secrets, &world->fault), SECRETS_CHANGED);
    assert_int_equal(secrets_current(&world->secrets, world->now_ms), number);
    return number;
}

void world_subscribe(struct world *world)
{
    struct store_subscription all = {.name = "all", .kinds = ~UINT64_C(0)};

    store_close(world->store);
    world->settings.subscriptions = &all;
    world->settings.subscription_count = 1;
    world->store = store_open(&world->settings, &world->fault);
    assert_non_null(world->store);
    world->issuer.store = world->store;
}

bool world_told(struct world *world, struct event *event)
{
    struct store_delivery row;
    size_t count;

    assert_int_equal(store_delivery_lease(world->store, "all", world->now_ms, CLOCK_MINUTE, &row, 1,
                                          &count, &world->fault),
                     STORE_OK);
    if (count == 1) {
        *event = row.event;
        assert_int_equal(store_delivery_done(world->store, "all", &row.number, 1, &world->fault),
                         STORE_OK);
    }
    return count == 1;
}

static void hash_password(struct world *world, struct text password,
                          char hash[PASSWORD_HASH_MAX + 1])
{
    assert_true(password_hash(password, &world->issuer.password_method, &world->issuer.randomness,
                              hash, &world->fault));
}

void world_add_client(struct world *world, const char *id, const char *secret, bool generated)
{
    struct client client = {.enabled = true};

    strcpy(client.id, id);
    if (secret != NULL && generated) {
        assert_true(client_secret_hash(text_of(secret), true, &world->secrets,
                                       &world->issuer.randomness, client.secrets[0].hash,
                                       &world->fault));
    } else if (secret != NULL) {
        hash_password(world, text_of(secret), client.secrets[0].hash);
    }
    assert_int_equal(store_client_add(world->store, &client, &world->fault), STORE_OK);
}

void world_close(struct world *world)
{
    issuer_close(&world->issuer);
    store_close(world->store);
    secrets_close(&world->secrets);
    arena_close(world->arena);
    scratch_remove(world->scratch);
}

void world_add_robot(struct world *world, uint32_t grants, const char *scope)
{
    struct client client = {.enabled = true, .id = "robot", .grants = grants};

    assert_true(client_secret_hash(TEXT("s3cret"), true, &world->secrets, &world->issuer.randomness,
                                   client.secrets[0].hash, &world->fault));
    client.secrets[0].number = 1;
    assert_true(text_copy(text_of(scope), client.scope, sizeof client.scope));
    assert_int_equal(store_client_add(world->store, &client, &world->fault), STORE_OK);
}

enum outcome world_issue(struct world *world, const struct issue_ask *ask, struct answer *answer)
{
    struct request request = {.arena = world->arena,
                              .issuer = &world->issuer,
                              .mount = &world->mount,
                              .realm = world->mount.realm};
    enum outcome outcome = issue_session(&request, ask);

    *answer = request.answer;
    world->fault = request.fault;
    return outcome;
}

struct text world_session(struct world *world, const char *client, const char *scope)
{
    struct issue_ask ask = {.account = &world->ada,
                            .client = text_of(client),
                            .scope_given = scope != NULL,
                            .scope = text_of(scope)};
    struct answer answer;
    enum outcome outcome = world_issue(world, &ask, &answer);

    if (outcome == OUTCOME_FAULT) {
        print_error("%s\n", world->fault.text);
    }
    assert_int_equal(outcome, OUTCOME_ROTATED);
    return answer.refresh_token;
}

struct request world_request(struct issuer *issuer, const struct world_ask *ask,
                             struct arena *arena)
{
    struct request request = {.arena = arena,
                              .issuer = issuer,
                              .mount = ask->mount,
                              .realm = ask->mount->realm,
                              .operation =
                                  ask->password_given ? &operation_login : &operation_refresh,
                              .client = {.bound = ask->client_bound,
                                         .kind = ask->client_proof,
                                         .id = ask->client_id,
                                         .secret = ask->client_secret,
                                         .raw_given = ask->client_raw_secret.size > 0,
                                         .raw_id = ask->client_id,
                                         .raw_secret = ask->client_raw_secret,
                                         .assertion = ask->client_assertion,
                                         .endpoint_path = ask->endpoint_path,
                                         .beside = ask->refresh_token}};

    if (ask->password_given) {
        request.input.login = (struct login_input){.username = ask->username,
                                                   .password = ask->password,
                                                   .bearer_given = !ask->no_bearer,
                                                   .bearer = ask->refresh_token,
                                                   .scope_given = ask->scope_given,
                                                   .scope = ask->scope};
    } else {
        request.input.refresh =
            (struct refresh_input){.refresh_token = ask->refresh_token,
                                   .candidates = ask->candidates,
                                   .candidate_count = ask->candidate_count,
                                   .scope_given = ask->scope_given,
                                   .scope = ask->scope,
                                   .username_given = ask->username_given,
                                   .username = ask->username,
                                   .access_token_given = ask->access_token_given,
                                   .access_token = ask->access_token};
    }
    return request;
}

struct request world_clients_request(struct world *world, const struct operation *operation,
                                     struct text token, const char *client, const char *secret)
{
    struct world_ask ask = {.mount = &world->mount,
                            .refresh_token = token,
                            .client_bound = true,
                            .client_proof =
                                secret[0] != '\0' ? CLIENT_PROOF_BASIC : CLIENT_PROOF_NONE,
                            .client_id = text_of(client),
                            .client_secret = text_of(secret)};
    struct request request = world_request(&world->issuer, &ask, world->arena);

    request.operation = operation;
    return request;
}

struct request world_robots_request(struct world *world, const char *secret)
{
    struct request request =
        world_clients_request(world, &operation_client, (struct text){0}, "robot", secret);

    memset(&request.input, 0, sizeof request.input);
    request.grant = GRANT_CLIENT;
    return request;
}

enum outcome world_run(struct issuer *issuer, const struct world_ask *ask, struct arena *arena,
                       struct answer *answer, struct fault *fault)
{
    struct request request = world_request(issuer, ask, arena);
    enum outcome outcome = operation_run(&request);

    *answer = request.answer;
    if (outcome == OUTCOME_FAULT) {
        *fault = request.fault;
    }
    return outcome;
}

enum outcome world_present(struct world *world, const struct mount *mount, struct text token,
                           struct answer *answer)
{
    struct world_ask ask = {.mount = mount, .refresh_token = token};

    return world_run(&world->issuer, &ask, world->arena, answer, &world->fault);
}

json_t *world_payload(struct world *world, struct text token)
{
    struct jws jws;
    json_t *payload;

    assert_true(jws_gate(world->arena, token, &jws));
    payload = json_in_object(world->arena, jws.payload_json, &world->fault);
    assert_non_null(payload);
    return payload;
}

struct session world_record(struct world *world, const uint8_t id[SESSION_ID_SIZE])
{
    struct session_view grant;

    assert_int_equal(store_session_view(world->store, id, &grant, &world->fault), STORE_OK);
    return grant.session;
}

void world_make_kopong(struct realm *realm)
{
    realm->policy.rotate = false;
    realm->policy.format = REFRESH_FORMAT_JWT;
    realm->policy.layout = &jwt_layout;
    realm->policy.idle_lifetime_ms = 0;
}

int world_set_up(void **state)
{
    static struct world world;

    world_open(&world);
    *state = &world;
    return 0;
}

int world_tear_down(void **state)
{
    world_close(*state);
    return 0;
}
