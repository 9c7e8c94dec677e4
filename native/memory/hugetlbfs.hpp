// What Python's os module lacks for files of huge pages.
#pragma once

#include <cstdint>
#include <string>

namespace gapless {

// Every failure is a std::system_error.

// Mount a hugetlbfs of pages of `page_size` bytes, of which root alone makes files.
void mount_hugetlbfs(const std::string& directory, std::uint64_t page_size);
// Put pages into the file, zeroed; ENOSPC when the kernel has none left.
void allocate_pages(int file, std::uint64_t offset, std::uint64_t nbytes);
// Take them out of it: they are the kernel's again once nobody maps them.
void give_back_pages(int file, std::uint64_t offset, std::uint64_t nbytes);

}  // namespace gapless
