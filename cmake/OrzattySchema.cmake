# Compiles a schema of FlatBuffers for orzatty/typed.h:
#
#   orzatty_add_schema(market SCHEMA market.fbs TYPES market::Book market::Quote)
#   target_link_libraries(program PRIVATE market)         # program: #include "market_typed.h"
#
# `market` is an interface library, with the header that flatc makes and one that names each of TYPES
# on the wire (orzatty::SchemaOf). The name is a digest of the schema and those that it includes,
# without comments and spaces: it changes with the schema, not with the version of flatc.

set(ORZATTY_TYPED_HEADER ${CMAKE_CURRENT_LIST_DIR}/OrzattyTypedHeader.cmake)

function(orzatty_add_schema name)
  cmake_parse_arguments(ARG "" "SCHEMA" "TYPES" ${ARGN})
  if(NOT ARG_SCHEMA OR NOT ARG_TYPES OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "orzatty_add_schema(NAME SCHEMA file.fbs TYPES namespace::Type...)")
  endif()
  find_program(ORZATTY_FLATC flatc)
  if(NOT ORZATTY_FLATC)
    message(FATAL_ERROR "orzatty_add_schema needs flatc: install flatbuffers-compiler and libflatbuffers-dev")
  endif()
  get_filename_component(schema ${ARG_SCHEMA} ABSOLUTE)
  get_filename_component(stem ${schema} NAME_WE)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}_schema)
  add_custom_command(
    OUTPUT ${folder}/${stem}_generated.h ${folder}/${stem}_typed.h
    COMMAND ${ORZATTY_FLATC} --cpp --scoped-enums --gen-all -o ${folder} ${schema}
    COMMAND ${CMAKE_COMMAND} -D SCHEMA=${schema} -D "TYPES=${ARG_TYPES}" -D HEADER=${folder}/${stem}_typed.h
            -P ${ORZATTY_TYPED_HEADER}
    DEPENDS ${schema} ${ORZATTY_TYPED_HEADER}
    COMMENT "Compiling schema ${ARG_SCHEMA}" VERBATIM)
  add_custom_target(${name}_schema DEPENDS ${folder}/${stem}_generated.h ${folder}/${stem}_typed.h)
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_schema)
  # SYSTEM: what flatc writes is not ours to warn about.
  target_include_directories(${name} SYSTEM INTERFACE ${folder})
endfunction()
