//! Records of a CSV file with their true line numbers, as a stream with bounded memory.
//!
//! The `csv` crate parses a record; where a record ends is found here, because after a quote that is never
//! closed the rest of the file would be one record, and because a rejected record is kept as it stood.

use std::collections::HashMap;
use std::io::{self, Read};
use std::marker::PhantomData;

use super::fault::{Fault, FileError, Reason};
use super::fields::Fields;
use super::rows::Row;

/// The longest record that is read, in bytes. The longest of a real ward has under 300.
pub(super) const LONGEST: usize = 64 * 1024;

/// A row that can be taken.
#[derive(Debug, Clone)]
pub struct Entry<R> {
    /// The line on which it begins.
    pub line: u64,
    /// What it says.
    pub row: R,
    /// What is to be noted about it; it is taken all the same.
    pub notes: Vec<Fault>,
    /// The record as it stood in the file, should it be rejected later.
    pub raw: String,
}

impl<R: Row> Entry<R> {
    /// The row's fault, found later: a reference that is not known.
    pub fn reject(&self, column: &'static str, value: impl Into<String>, reason: Reason) -> Reject {
        Reject {
            fault: Box::new(Fault {
                file: R::FILE,
                line: self.line,
                column,
                value: value.into(),
                reason,
            }),
            raw: self.raw.clone(),
        }
    }
}

/// A row that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Where, and why.
    pub fault: Box<Fault>,
    /// The record as it stood in the file (bytes that are no text replaced).
    pub raw: String,
}

/// The typed rows of one file, in its order.
pub struct Rows<R, S> {
    splitter: Splitter<S>,
    parser: csv::Reader<Slot>,
    record: csv::ByteRecord,
    /// Where each column of `R::COLUMNS` and `R::OPTIONAL` stands.
    places: Vec<(&'static str, usize)>,
    width: usize,
    /// The line of every key so far.
    seen: HashMap<String, u64>,
    rows: PhantomData<R>,
}

/// Begins to read a file: its header is checked here.
///
/// # Errors
/// [`FileError`] where the header is missing, is not text or lacks a column.
pub fn open<R: Row, S: Read>(source: S) -> Result<Rows<R, S>, FileError> {
    let mut rows = Rows {
        splitter: Splitter::new(source),
        parser: parser(),
        record: csv::ByteRecord::new(),
        places: Vec::new(),
        width: 0,
        seen: HashMap::new(),
        rows: PhantomData,
    };
    rows.read_header()?;
    Ok(rows)
}

impl<R: Row, S: Read> Rows<R, S> {
    fn read_header(&mut self) -> Result<(), FileError> {
        let file = R::FILE.to_owned();
        let (line, header) = match self.next_record()? {
            None => return Err(FileError::Empty { file }),
            Some((line, Err(_))) => return Err(FileError::Header { file, line }),
            Some((line, Ok(_))) => (line, &self.record),
        };
        let names = header
            .iter()
            .map(|name| std::str::from_utf8(name).map(|name| name.trim().to_ascii_lowercase()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| FileError::Header {
                file: file.clone(),
                line,
            })?;
        let required = R::COLUMNS.iter().map(|&column| (column, true));
        let optional = R::OPTIONAL.iter().map(|&column| (column, false));
        for (column, must) in required.chain(optional) {
            let mut places = (0..names.len()).filter(|&i| names[i] == column);
            let place = places.next();
            let file = file.clone();
            if places.next().is_some() {
                return Err(FileError::ColumnTwice { file, line, column });
            }
            match place {
                Some(place) => self.places.push((column, place)),
                None if must => return Err(FileError::MissingColumn { file, line, column }),
                None => {}
            }
        }
        self.width = names.len();
        self.splitter.width = Some(names.len());
        Ok(())
    }

    /// The next record parsed into `self.record`, or why it cannot be; with its line and as it stood.
    #[allow(clippy::type_complexity)]
    fn next_record(&mut self) -> Result<Option<(u64, Result<String, Reject>)>, FileError> {
        let found = self.splitter.next().map_err(|source| FileError::Read {
            file: R::FILE.to_owned(),
            line: self.splitter.line.saturating_sub(1),
            source,
        })?;
        let Some(Found {
            line,
            raw,
            mut broken,
        }) = found
        else {
            return Ok(None);
        };
        if broken.is_none() {
            self.parser.get_mut().load(&raw);
            if !matches!(self.parser.read_byte_record(&mut self.record), Ok(true)) {
                self.parser = parser();
                broken = Some(Reason::OpenQuote);
            }
        }
        let raw = String::from_utf8_lossy(&raw).into_owned();
        let result = match broken {
            None => Ok(raw),
            Some(reason) => Err(Reject {
                fault: Box::new(Fault {
                    file: R::FILE,
                    line,
                    column: "",
                    value: String::new(),
                    reason,
                }),
                raw,
            }),
        };
        Ok(Some((line, result)))
    }

    fn read_row(&mut self, line: u64) -> Result<(R, Vec<Fault>), Fault> {
        if self.record.len() != self.width {
            return Err(Fault {
                file: R::FILE,
                line,
                column: "",
                value: String::new(),
                reason: Reason::Fields {
                    found: self.record.len(),
                    expected: self.width,
                },
            });
        }
        let mut fields = Fields::new(R::FILE, line, &self.record, &self.places);
        let row = R::read(&mut fields)?;
        let notes = fields.into_notes();
        let (column, key) = row.key();
        if let Some(&first) = self.seen.get(&key) {
            return Err(Fault {
                file: R::FILE,
                line,
                column,
                value: key.clone(),
                reason: Reason::Twice {
                    value: key,
                    line: first,
                },
            });
        }
        self.seen.insert(key, line);
        Ok((row, notes))
    }

    /// The next row or the next reject; `None` at the end.
    ///
    /// # Errors
    /// [`FileError::Read`] where the system cannot read on.
    #[allow(clippy::should_implement_trait, clippy::type_complexity)]
    pub fn next(&mut self) -> Result<Option<Result<Entry<R>, Reject>>, FileError> {
        let Some((line, record)) = self.next_record()? else {
            return Ok(None);
        };
        let raw = match record {
            Ok(raw) => raw,
            Err(reject) => return Ok(Some(Err(reject))),
        };
        Ok(Some(match self.read_row(line) {
            Ok((row, notes)) => Ok(Entry {
                line,
                row,
                notes,
                raw,
            }),
            Err(fault) => Err(Reject {
                fault: Box::new(fault),
                raw,
            }),
        }))
    }

    /// Bytes of the file that are behind us: for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.splitter.consumed
    }
}

fn parser() -> csv::Reader<Slot> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(2 * LONGEST)
        .from_reader(Slot::default())
}

/// One record on its way into the parser.
#[derive(Default)]
struct Slot {
    bytes: Vec<u8>,
    given: usize,
}

impl Slot {
    fn load(&mut self, record: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(record);
        self.bytes.push(b'\n');
        self.given = 0;
    }
}

impl Read for Slot {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = (&self.bytes[self.given..]).read(into)?;
        self.given += n;
        Ok(n)
    }
}

/// A record as it stands in the file, without its line end.
struct Found {
    line: u64,
    raw: Vec<u8>,
    broken: Option<Reason>,
}

/// Cuts a stream into records: quotes, all three line ends, blank lines, a byte order mark.
struct Splitter<S> {
    source: S,
    window: Vec<u8>,
    at: usize,
    ended: bool,
    /// The line at `at`, from 1.
    line: u64,
    /// How many fields the header has, once it is known.
    width: Option<usize>,
    consumed: u64,
}

/// Where a record that begins at the start of some bytes ends.
enum Scan {
    /// It has `body` bytes, `len` with its line end, `lines` lines, `fields` fields; `torn`: a quote closes in
    /// the middle of a field.
    Whole {
        body: usize,
        len: usize,
        lines: u64,
        fields: usize,
        torn: bool,
    },
    /// It goes on after these bytes.
    Open { quoted: bool },
}

impl<S: Read> Splitter<S> {
    fn new(source: S) -> Self {
        Splitter {
            source,
            window: Vec::new(),
            at: 0,
            ended: false,
            line: 1,
            width: None,
            consumed: 0,
        }
    }

    fn next(&mut self) -> io::Result<Option<Found>> {
        loop {
            if self.at == self.window.len() && !self.fill()? {
                return Ok(None);
            }
            match scan(&self.window[self.at..], self.ended) {
                Scan::Open { .. } if !self.ended && self.window.len() - self.at < LONGEST => {
                    self.fill()?;
                }
                Scan::Open { quoted } => return self.broken_line(quoted).map(Some),
                Scan::Whole { len, lines, .. } if len > LONGEST => {
                    return self.broken_line(lines > 1).map(Some);
                }
                Scan::Whole {
                    lines,
                    fields,
                    torn,
                    ..
                } if lines > 1 && (torn || self.width.is_some_and(|width| width != fields)) => {
                    // A quote somewhere in the lines below closed it by chance: they are records of their own.
                    return self.broken_line(true).map(Some);
                }
                Scan::Whole {
                    body, len, lines, ..
                } => {
                    let raw = self.window[self.at..self.at + body].to_vec();
                    let line = self.line;
                    self.advance(len, lines);
                    if raw.iter().any(|byte| !byte.is_ascii_whitespace()) {
                        return Ok(Some(Found {
                            line,
                            raw,
                            broken: None,
                        }));
                    }
                }
            }
        }
    }

    fn advance(&mut self, bytes: usize, lines: u64) {
        self.at += bytes;
        self.consumed += bytes as u64;
        self.line += lines;
    }

    /// Reads on; whether there was anything.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.window.drain(..self.at);
        self.at = 0;
        let begins = self.consumed == 0 && self.window.is_empty();
        let before = self.window.len();
        let n = (&mut self.source)
            .take(LONGEST as u64)
            .read_to_end(&mut self.window)?;
        self.ended = n < LONGEST;
        if begins && self.window.starts_with(b"\xEF\xBB\xBF") {
            self.window.drain(..3);
            self.consumed += 3;
        }
        Ok(self.window.len() > before)
    }

    /// Gives one line up: what follows it is read as if it had not been there.
    fn broken_line(&mut self, quoted: bool) -> io::Result<Found> {
        let line = self.line;
        let rest = &self.window[self.at..];
        let end = line_end(rest, self.ended);
        let (body, len) = end.unwrap_or((rest.len(), rest.len()));
        let raw = rest[..body.min(LONGEST)].to_vec();
        let broken = if quoted && body < LONGEST {
            Reason::OpenQuote
        } else {
            Reason::LongRecord(LONGEST)
        };
        self.advance(len, u64::from(end.is_some()));
        let mut over = end.is_some();
        while !over && (self.at < self.window.len() || self.fill()?) {
            let rest = &self.window[self.at..];
            let end = line_end(rest, self.ended);
            over = end.is_some();
            let len = end.map_or(rest.len(), |(_, len)| len);
            self.advance(len, u64::from(over));
        }
        Ok(Found {
            line,
            raw,
            broken: Some(broken),
        })
    }
}

/// The first line's length without and with its end; `None` where no end is in sight.
fn line_end(bytes: &[u8], ended: bool) -> Option<(usize, usize)> {
    let body = bytes
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))?;
    match (bytes[body], bytes.get(body + 1)) {
        (b'\r', Some(b'\n')) => Some((body, body + 2)),
        (b'\r', None) if !ended => None,
        _ => Some((body, body + 1)),
    }
}

fn scan(bytes: &[u8], ended: bool) -> Scan {
    let (mut quoted, mut begins, mut torn, mut lines, mut fields) = (false, true, false, 1, 1);
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'"' if quoted && bytes.get(i + 1) == Some(&b'"') => i += 1,
            b'"' if quoted => {
                quoted = false;
                torn |= !matches!(bytes.get(i + 1), None | Some(b',' | b'\n' | b'\r'));
            }
            b'"' if begins => quoted = true,
            b'\r' if quoted && bytes.get(i + 1) == Some(&b'\n') => {}
            b'\n' | b'\r' if quoted => lines += 1,
            b'\n' | b'\r' => match line_end(&bytes[i..], ended) {
                Some((_, end)) => {
                    return Scan::Whole {
                        body: i,
                        len: i + end,
                        lines,
                        fields,
                        torn,
                    };
                }
                None => return Scan::Open { quoted },
            },
            b',' if !quoted => {
                fields += 1;
                begins = true;
                i += 1;
                continue;
            }
            _ => {}
        }
        begins = false;
        i += 1;
    }
    if ended && !quoted {
        let (body, len) = (i, i);
        Scan::Whole {
            body,
            len,
            lines,
            fields,
            torn,
        }
    } else {
        Scan::Open { quoted }
    }
}
