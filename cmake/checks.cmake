# Tests that are no programs of ours: that documents tell the truth, that a GPU backend can be built on our lists, that
# the floors of the house are kept, what the library exports, and that C++ can use its headers.

# every ```c block of the documents compiles, and every excerpt is still in its file
foreach(page README.md docs/design.md docs/from-pytorch.md docs/adding-an-op.md docs/saving.md docs/memory.md
        docs/threads.md docs/not-there.md docs/traps.md docs/models.md docs/audio.md docs/video.md docs/images.md
        docs/text.md)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${page})
    get_filename_component(name ${page} NAME_WE)
    add_test(NAME snippets_${name}
             COMMAND ${CMAKE_SOURCE_DIR}/tests/snippets.sh ${page} ${CMAKE_C_COMPILER} $<TARGET_FILE:wick_shared>
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(snippets_${name} PROPERTIES TIMEOUT 120 LABELS documents)
  endif()
endforeach()

# no name of the essential API is gone, and the pages that list them are as docs/names.tsv says
find_program(PYTHON3 python3)
if(PYTHON3)
  add_test(NAME api_coverage COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/scripts/api_coverage.py --check
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(api_coverage PROPERTIES TIMEOUT 120 LABELS documents ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
  # every public function is called by a test
  add_test(NAME all_tested COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/scripts/check_tested.py
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(all_tested PROPERTIES TIMEOUT 120 LABELS documents ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
endif()

# what is wrong is refused, is an error, or works: docs/misuses.md
add_test(NAME misuses COMMAND ${CMAKE_SOURCE_DIR}/tests/misuses/run.sh $<TARGET_FILE:wick_shared>
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(misuses PROPERTIES TIMEOUT 300 LABELS documents)

# kernels.h and pointwise.def compile under nvcc, where there is one
find_program(NVCC nvcc PATHS /usr/local/cuda/bin)
if(NVCC)
  file(GLOB WORK_HEADERS CONFIGURE_DEPENDS src/kernels/*.h)
  list(TRANSFORM WORK_HEADERS PREPEND "--pre-include=")
  add_test(NAME compile_under_nvcc
           COMMAND ${NVCC} -arch=sm_80 -rdc=true -ptx -Werror all-warnings -I${CMAKE_SOURCE_DIR}/include
                   -I${CMAKE_SOURCE_DIR}/src ${WORK_HEADERS} ${CMAKE_SOURCE_DIR}/tests/compile_under_nvcc.cu
                   -o ${CMAKE_BINARY_DIR}/compile_under_nvcc.ptx)
  set_tests_properties(compile_under_nvcc PROPERTIES TIMEOUT 300 LABELS unit)
endif()

# no file uses a floor above its own
find_program(NM NAMES ${CMAKE_NM} nm)
if(NM)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/objects.txt
       CONTENT "$<JOIN:$<TARGET_OBJECTS:wick_objects>;${KERNEL_OBJECTS},\n>\n")
  add_test(NAME floors COMMAND ${CMAKE_SOURCE_DIR}/tests/floors.sh ${CMAKE_BINARY_DIR}/objects.txt
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(floors PROPERTIES TIMEOUT 120 LABELS unit)
endif()

# the shared library exports what the public headers declare (sanitizers add names of their own)
if(NM AND NOT WICK_SANITIZE)
  add_test(NAME exports
           COMMAND ${CMAKE_SOURCE_DIR}/tests/exports.sh $<TARGET_FILE:wick_shared> ${CMAKE_C_COMPILER} ${NM}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(exports PROPERTIES TIMEOUT 120 LABELS unit)
endif()

# C++ can use the headers, by each compiler that is there
if(CMAKE_CXX_COMPILER)
  set(cplusplus ${CMAKE_CXX_COMPILER})
  foreach(name g++ clang++)
    find_program(WICK_${name} ${name})
    if(WICK_${name})
      get_filename_component(real ${WICK_${name}} REALPATH)
      get_filename_component(first ${CMAKE_CXX_COMPILER} REALPATH)
      if(NOT real STREQUAL first)
        list(APPEND cplusplus ${WICK_${name}})
      endif()
    endif()
  endforeach()
  add_test(NAME cplusplus COMMAND ${CMAKE_SOURCE_DIR}/tests/cplusplus.sh ${cplusplus}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(cplusplus PROPERTIES TIMEOUT 300 LABELS documents)
endif()
