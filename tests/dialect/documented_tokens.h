/* SPDX-License-Identifier: ISC */
/* documented_tokens.h: tokens as the old servers signed them, taken from their public documentation
 * together with the default secrets that were published with the software. */
#ifndef RETOKEN_TESTS_DIALECT_DOCUMENTED_TOKENS_H
#define RETOKEN_TESTS_DIALECT_DOCUMENTED_TOKENS_H

/* The default of grails-spring-security-rest 2.0.0.M2, which the kopong application kept. */
#define GOLDEN_KOPONG_SECRET "qrD6h8K6S9503Q06Y6Rfk21TErImPYqa"

#define GOLDEN_KOPONG_ACCESS                                                                       \
    "eyJhbGciOiJIUzI1NiJ9.eyJwcmluY2lwYWwiOiJINHNJQUFBQUFBQUFBSlZTdjA4VVFSajk5cndMSkV"             \
    "SK21HaGlnWTNRa2IxRXkydVV5MGxpVnM1d1hJT0paRzczWXgxdWRtYWNtWVc3eGx5bEJRVkdKVEd4dGV"             \
    "RXC8wY1lcL3dFQmhTMjNMTjh2QkhqYkVxVFp2M3I3M3Z1XC9OOFJuVXJJSEhxV0ZjMkZDTFBPVXl0TnB"             \
    "3bVZxTWM4UGRNTXd0bWdSZHdWZ3JpRjFDNE9JRUZRZ2lxUERFd1oxb2wrMnh1bUF5cmJkN3V4aTd4c0R"             \
    "BSTJYU3NlS09ZUm51SzlNUHI3UmpaZkNhUVNrZGZLXC9BMUJZc3NEaFd1WFRyU3JZR21odE10bUMreEN"             \
    "JVjl6MTBONllibEk0ellTZXBVeWhaVDJBU3dRekwzUnRGcmh5dGc3bUxzTG5qb3Q1QjE0aGdXak5yS2Q"             \
    "wXC9rM1Njais3dmZVeEpFN3lGZDFBZDZJQU83VzdaVTBPdkV6YVZFRFExVjlJdWRXV21FcjdEdlRucGp"             \
    "4WVwvXC9UcjhOdXBXQUdnbkt6ZlwvVStMM1YySDA0XC9YZkI4V2lnOWpCdllub0phMHgwSlJtb1ZUZU5"             \
    "PaWRmMzk5K2ZubzdNT3JXK1RzR2NcLyt2NCtscCtQTkRac3EwOHd3cHlZNkl0bjlxdjhtOGRXYnhTOWJ"             \
    "HSVlkbm1tQjlLS2t3K1RLb2hTbWNhdEdpY3Q5TzdpOTBZNWEyODF1WjdQOW9yWGhrVGxIWFQ3cEs2MWt"             \
    "TdklaUlpndE51Q3JDeU5DR3dkXC9QdjQ4ZkhoQ2NzK2h0c2RFamxUQWZFbGF6N01lbXZmSFI0c3pYMDR"             \
    "QaW5IR1Q3dDJEbWREMEgwZUF3QUEiLCJzdWIiOiJ0ZXN0QGtvcG9uZy5jb20iLCJyb2xlcyI6WyJST0x"             \
    "FX0NVU1RPTUVSIl0sImV4cCI6MTUxNDAzNjc2NSwiaWF0IjoxNTE0MDMzMTY1fQ.r-tOVp3JvlTNEEyO"             \
    "M70WGb5wRORm95cP6YxFIlJCMA0"

#define GOLDEN_KOPONG_REFRESH                                                                      \
    "eyJhbGciOiJIUzI1NiJ9.eyJwcmluY2lwYWwiOiJINHNJQUFBQUFBQUFBSlZTdjA4VVFSajk5cndMSkV"             \
    "SK21HaGlnWTNRa2IxRXkydVV5MGxpVnM1d1hJT0paRzczWXgxdWRtYWNtWVc3eGx5bEJRVkdKVEd4dGV"             \
    "RXC8wY1lcL3dFQmhTMjNMTjh2QkhqYkVxVFp2M3I3M3Z1XC9OOFJuVXJJSEhxV0ZjMkZDTFBPVXl0TnB"             \
    "3bVZxTWM4UGRNTXd0bWdSZHdWZ3JpRjFDNE9JRUZRZ2lxUERFd1oxb2wrMnh1bUF5cmJkN3V4aTd4c0R"             \
    "BSTJYU3NlS09ZUm51SzlNUHI3UmpaZkNhUVNrZGZLXC9BMUJZc3NEaFd1WFRyU3JZR21odE10bUMreEN"             \
    "JVjl6MTBONllibEk0ellTZXBVeWhaVDJBU3dRekwzUnRGcmh5dGc3bUxzTG5qb3Q1QjE0aGdXak5yS2Q"             \
    "wXC9rM1Njais3dmZVeEpFN3lGZDFBZDZJQU83VzdaVTBPdkV6YVZFRFExVjlJdWRXV21FcjdEdlRucGp"             \
    "4WVwvXC9UcjhOdXBXQUdnbkt6ZlwvVStMM1YySDA0XC9YZkI4V2lnOWpCdllub0phMHgwSlJtb1ZUZU5"             \
    "PaWRmMzk5K2ZubzdNT3JXK1RzR2NcLyt2NCtscCtQTkRac3EwOHd3cHlZNkl0bjlxdjhtOGRXYnhTOWJ"             \
    "HSVlkbm1tQjlLS2t3K1RLb2hTbWNhdEdpY3Q5TzdpOTBZNWEyODF1WjdQOW9yWGhrVGxIWFQ3cEs2MWt"             \
    "TdklaUlpndE51Q3JDeU5DR3dkXC9QdjQ4ZkhoQ2NzK2h0c2RFamxUQWZFbGF6N01lbXZmSFI0c3pYMDR"             \
    "QaW5IR1Q3dDJEbWREMEgwZUF3QUEiLCJzdWIiOiJ0ZXN0QGtvcG9uZy5jb20iLCJyb2xlcyI6WyJST0x"             \
    "FX0NVU1RPTUVSIl0sImlhdCI6MTUxNDAzMzE2Nn0.E-ZBehwwMa_3lqeMPmJJ4WfweDhvxLZqHUgkIou"             \
    "AioE"

/* The default of Duktig.Microservice. */
#define GOLDEN_DUKTIG_SECRET "~s!d8f7s#d9@f9d8%_sf9D3378Rds79#"

#define GOLDEN_DUKTIG_ACCESS                                                                       \
    "eyJ0eXAiOiJKV1QiLCJjdHkiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJEdWt0aWcuaW8uaXN"             \
    "zIiwiYXVkIjoiRHVrdGlnLmlvLmdlbmVyYWwuYXVkIiwic3ViIjoiRHVrdGlnLmlvLmdlbmVyYWwuc3V"             \
    "iIiwianRpIjoiRHVrdGlnLmlvLmdlbmVyYWwuanRpIiwibmJmIjoxNTczODE0MDM0LCJpYXQiOjE1NzM"             \
    "4MTQwMzQsImV4cCI6MTU3MzkwMDQzNCwiYWNjb3VudCI6eyJ1c2VySWQiOjEsImZpcnN0TmFtZSI6IlN"             \
    "1cGVyIiwibGFzdE5hbWUiOiJBZG1pbiIsImVtYWlsIjoic3VwZXIuYWRtaW5AZHVrdGlnLmlvIiwicm9"             \
    "sZUlkIjoxfX0.7J1pg4vaBw9x37NOvepBP6e5yoASLQkWBobaIm593Kw"

#endif
