//! Assets: files copied as they are, and only when they changed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use super::whole::{Unfinished, parent};
use super::{Change, FileError};

/// Copies a file to its place, creating the folders above it, unless it is there already.
///
/// The copy carries the source's modification time, and a copy of equal length and time is
/// taken to be the same, so that unchanged assets cost two looks and no read. One of equal
/// length and another time is compared byte by byte, and only its time is set when the bytes
/// are the same. The place changes by a rename, as with [`super::replace`].
pub fn copy_asset(source: &Path, place: &Path) -> Result<Change, FileError> {
    let time = modified(source)?;
    let change = compare_asset(source, place)?;
    match change {
        Change::Added | Change::Changed => copy(source, place, time)?,
        Change::Unchanged if modified(place)? == time => {}
        Change::Unchanged => {
            let file = File::options().write(true).open(place).map_err(FileError::at("open", place))?;
            file.set_modified(time).map_err(FileError::at("set the time of", place))?;
        }
    }
    Ok(change)
}

/// What [`copy_asset`] would do; nothing is written.
pub fn compare_asset(source: &Path, place: &Path) -> Result<Change, FileError> {
    let wanted = fs::metadata(source).map_err(FileError::at("read", source))?;
    let held = match fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Change::Added),
        held => held.map_err(FileError::at("look at", place))?,
    };
    if !held.is_file() || held.len() != wanted.len() {
        return Ok(Change::Changed);
    }
    let same_time = held.modified().ok() == wanted.modified().ok();
    Ok(if same_time || same_bytes(source, place)? { Change::Unchanged } else { Change::Changed })
}

fn modified(path: &Path) -> Result<SystemTime, FileError> {
    fs::metadata(path).and_then(|found| found.modified()).map_err(FileError::at("look at", path))
}

fn copy(source: &Path, place: &Path, time: SystemTime) -> Result<(), FileError> {
    let folder = parent(place);
    fs::create_dir_all(folder).map_err(FileError::at("create the folder", folder))?;
    let unfinished = Unfinished::beside(place);
    let mut from = File::open(source).map_err(FileError::at("read", source))?;
    let mut to = unfinished.create().map_err(FileError::at("write", place))?;
    io::copy(&mut from, &mut to).map_err(FileError::at("copy to", place))?;
    to.set_modified(time).map_err(FileError::at("set the time of", place))?;
    unfinished.rename_to(place).map_err(FileError::at("replace", place))
}

fn same_bytes(left: &Path, right: &Path) -> Result<bool, FileError> {
    let mut one = File::open(left).map_err(FileError::at("read", left))?;
    let mut two = File::open(right).map_err(FileError::at("read", right))?;
    let (mut buffer_one, mut buffer_two) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let length_one = fill(&mut one, &mut buffer_one).map_err(FileError::at("read", left))?;
        let length_two = fill(&mut two, &mut buffer_two).map_err(FileError::at("read", right))?;
        if buffer_one[..length_one] != buffer_two[..length_two] {
            return Ok(false);
        }
        if length_one == 0 {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the file ends, so that two files are compared in step.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_unchanged_asset_is_not_copied_again() {
        let folder = tempfile::tempdir().unwrap();
        let (source, place) = (folder.path().join("cover.png"), folder.path().join("public/img/cover.png"));
        fs::write(&source, vec![7; 200_000]).unwrap();
        assert_eq!(copy_asset(&source, &place).unwrap(), Change::Added);
        assert_eq!(copy_asset(&source, &place).unwrap(), Change::Unchanged);
        assert_eq!(fs::read(&place).unwrap(), fs::read(&source).unwrap());

        let later = SystemTime::now() + Duration::from_mins(1);
        File::options().write(true).open(&source).unwrap().set_modified(later).unwrap();
        assert_eq!(copy_asset(&source, &place).unwrap(), Change::Unchanged, "a new time alone is no change");
        assert_eq!(fs::metadata(&place).unwrap().modified().unwrap(), later);
    }

    #[test]
    fn a_change_of_one_byte_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (source, place) = (folder.path().join("a"), folder.path().join("b"));
        let mut bytes = vec![7; 200_000];
        fs::write(&source, &bytes).unwrap();
        copy_asset(&source, &place).unwrap();
        bytes[199_999] = 8;
        fs::write(&source, &bytes).unwrap();
        let later = SystemTime::now() + Duration::from_mins(1);
        File::options().write(true).open(&source).unwrap().set_modified(later).unwrap();
        assert_eq!(copy_asset(&source, &place).unwrap(), Change::Changed);
        assert_eq!(fs::read(&place).unwrap(), bytes);
    }

    #[test]
    fn a_missing_source_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = copy_asset(&folder.path().join("gone.png"), &folder.path().join("b")).unwrap_err();
        assert!(error.to_string().contains("gone.png"), "{error}");
    }
}
