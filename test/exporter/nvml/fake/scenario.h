/* What the imitation driver is to say, read anew from a text file whenever that file changes. */

#ifndef SCENARIO_H
#define SCENARIO_H

#include <stddef.h>

#define WORDS 12
#define WORD_LENGTH 128

/* One line of the file, cut at blanks. */
typedef struct {
  int count;
  char words[WORDS][WORD_LENGTH];
} Row;

typedef int (*RowTest)(const Row *row, const void *context);

/* Copies the first row that passes the test; 0 when there is none. Safe to call from any thread. */
int findRow(RowTest test, const void *context, Row *found);

/* Copies the row of that number among those that pass the test; 0 when there are fewer. */
int findRowNumber(RowTest test, const void *context, int number, Row *found);

/* The value of `set TARGET KEY VALUE`; a row for the very target wins over one for every target (*). 0 when there is none. */
int findValue(const char *target, const char *key, char *value);

#endif
