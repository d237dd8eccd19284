/* Calls names as C programs do: getaddrinfo, then each address in turn. README.md has the command line. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { limit_seconds = 10, largest_answer = 65536 };

static void print_string(const char *text) {
  putchar('"');
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\') printf("\\%c", *c);
    else if (*c < 0x20) printf("\\u%04x", *c);
    else putchar(*c);
  }
  putchar('"');
}

static void print_field(const char *name, const char *text) {
  printf(", \"%s\": ", name);
  print_string(text);
}

static void print_addresses(const struct addrinfo *found) {
  char seen[64][INET6_ADDRSTRLEN];
  size_t count = 0;
  printf(", \"addresses\": [");
  for (; found && count < 64; found = found->ai_next) {
    const void *address = found->ai_family == AF_INET6
                              ? (const void *)&((const struct sockaddr_in6 *)found->ai_addr)->sin6_addr
                              : (const void *)&((const struct sockaddr_in *)found->ai_addr)->sin_addr;
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(found->ai_family, address, text, sizeof text);
    size_t i = 0;
    while (i < count && strcmp(seen[i], text) != 0) i++;
    if (i < count) continue;
    if (count) printf(", ");
    print_string(text);
    strcpy(seen[count++], text);
  }
  printf("]");
}

static int connect_to(const struct addrinfo *found) {
  const struct timeval limit = {.tv_sec = limit_seconds};
  int error = 0;
  for (; found; found = found->ai_next) {
    int s = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (s < 0) {
      error = errno;
      continue;
    }
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(s, found->ai_addr, found->ai_addrlen) == 0) return s;
    error = errno;
    close(s);
  }
  errno = error;
  return -1;
}

/* The answer in `answer`, ended by a zero; 0 or -1 with errno. */
static int ask(int s, const char *host, char answer[largest_answer]) {
  char request[512];
  int length = snprintf(request, sizeof request, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", host);
  if (length < 0 || (size_t)length >= sizeof request) {
    errno = EMSGSIZE;
    return -1;
  }
  for (int sent = 0; sent < length;) {
    ssize_t n = send(s, request + sent, (size_t)(length - sent), MSG_NOSIGNAL);
    if (n < 0) return -1;
    sent += (int)n;
  }
  size_t size = 0;
  while (size < largest_answer - 1) {
    ssize_t n = recv(s, answer + size, largest_answer - 1 - size, 0);
    if (n < 0) return -1;
    if (n == 0) break;
    size += (size_t)n;
  }
  answer[size] = 0;
  return 0;
}

static void print_answer(char *answer) {
  int status = 0;
  char *body = strstr(answer, "\r\n\r\n");
  if (!body || sscanf(answer, "HTTP/%*s %d", &status) != 1) {
    print_field("error", "the answer is not HTTP");
    return;
  }
  printf(", \"status\": %d", status);
  print_field("body", body + 4);
}

static void call(const char *host, const char *port) {
  static char answer[largest_answer];
  print_field("host", host);
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  int failed = getaddrinfo(host, port, &hints, &found);
  if (failed) {
    print_field("error", gai_strerror(failed));
    return;
  }
  print_addresses(found);
  int s = connect_to(found);
  freeaddrinfo(found);
  if (s < 0 || ask(s, host, answer) < 0) print_field("error", strerror(errno));
  else print_answer(answer);
  if (s >= 0) close(s);
}

static const char *variable(const char *name, const char *rest) {
  char whole[256];
  snprintf(whole, sizeof whole, "%s%s", name, rest);
  return getenv(whole);
}

static void call_variables(const char *name, const char *port) {
  char of_port[64];
  snprintf(of_port, sizeof of_port, "_PORT_%s_TCP_PORT", port);
  const char *host = variable(name, "_SERVICE_HOST");
  const char *number = variable(name, of_port);
  if (!number) number = variable(name, "_SERVICE_PORT");
  if (host && number) call(host, number);
  else print_field("error", host ? "the variable for the port is not set" : "the variable for the host is not set");
}

int main(int count, char **words) {
  int from_environment = count > 1 && strcmp(words[1], "--env") == 0;
  int first = from_environment ? 2 : 1;
  if (count <= first || (count - first) % 2) {
    fprintf(stderr, "usage: probe [--env] NAME PORT ...\n");
    return 2;
  }
  for (int i = first; i < count; i += 2) {
    printf("{\"target\": ");
    print_string(words[i]);
    printf(", \"port\": %d", atoi(words[i + 1]));
    if (from_environment) call_variables(words[i], words[i + 1]);
    else call(words[i], words[i + 1]);
    printf("}\n");
    fflush(stdout);
  }
  return 0;
}
