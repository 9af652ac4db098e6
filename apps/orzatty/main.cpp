#include "commands.h"

int main(int count, char** words) { return orzatty::apps::run_program(count, words); }
