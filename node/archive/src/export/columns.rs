//! Columns of a Parquet file, one row group at a time.

use std::io::Write;
use std::sync::Arc;

use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;
use tokio_postgres::Row;

use super::tables::{Exported, Kind};
use crate::error::ArchiveError;
use crate::value::{Numeric, Time};

/// What a decimal of 38 digits stays below.
const DECIMAL_END: u128 = 10_u128.pow(38);

impl Kind {
    /// The column in Parquet's language for schemas.
    fn declared(self, name: &str) -> String {
        match self {
            Self::Time => format!("required int64 {name} (timestamp(micros, true));"),
            Self::Int => format!("required int32 {name};"),
            Self::Long => format!("required int64 {name};"),
            Self::Flag => format!("required boolean {name};"),
            Self::Bytes => format!("required byte_array {name};"),
            Self::Text => format!("required byte_array {name} (string);"),
            Self::Hash => format!("required fixed_len_byte_array(32) {name};"),
            Self::Decimal => format!("required fixed_len_byte_array(16) {name} (decimal(38, 0));"),
        }
    }

    fn empty(self) -> Column {
        match self {
            Self::Time => Column::Time(Vec::new()),
            Self::Int => Column::Int(Vec::new()),
            Self::Long => Column::Long(Vec::new()),
            Self::Flag => Column::Flag(Vec::new()),
            Self::Bytes => Column::Bytes(Vec::new()),
            Self::Text => Column::Text(Vec::new()),
            Self::Hash => Column::Hash(Vec::new()),
            Self::Decimal => Column::Decimal(Vec::new()),
        }
    }
}

impl Exported {
    /// The schema of its files.
    ///
    /// # Errors
    /// The schema is wrong.
    pub(super) fn schema(&self) -> Result<Arc<Type>, ParquetError> {
        let columns: String = self.columns.iter().map(|(name, kind)| kind.declared(name)).collect();
        Ok(Arc::new(parse_message_type(&format!("message {} {{ {columns} }}", self.name))?))
    }
}

/// Values of one column.
#[derive(Debug)]
enum Column {
    Time(Vec<i64>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Flag(Vec<bool>),
    Bytes(Vec<ByteArray>),
    Text(Vec<ByteArray>),
    Hash(Vec<FixedLenByteArray>),
    Decimal(Vec<FixedLenByteArray>),
}

impl Column {
    fn push(&mut self, row: &Row, at: usize, name: &'static str) -> Result<(), ArchiveError> {
        let range = || ArchiveError::Range { what: name };
        match self {
            Self::Time(values) => values.push(i64::from(row.try_get::<_, Time>(at)?.0) * 1_000_000),
            Self::Int(values) => values.push(row.try_get(at)?),
            Self::Long(values) => values.push(row.try_get(at)?),
            Self::Flag(values) => values.push(row.try_get(at)?),
            Self::Bytes(values) => values.push(row.try_get::<_, Vec<u8>>(at)?.into()),
            Self::Text(values) => values.push(row.try_get::<_, &str>(at)?.into()),
            Self::Hash(values) => {
                let hash: Vec<u8> = row.try_get(at)?;
                values.push(if hash.len() == 32 { hash.into() } else { return Err(range()) });
            }
            Self::Decimal(values) => {
                let value = u128::try_from(row.try_get::<_, Numeric>(at)?.0).ok();
                let value = value.filter(|value| *value < DECIMAL_END).ok_or_else(range)?;
                values.push(value.to_be_bytes().to_vec().into());
            }
        }
        Ok(())
    }

    /// Writes the values, and forgets them.
    fn write(&mut self, to: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        match (&mut *self, to) {
            (Self::Time(values) | Self::Long(values), ColumnWriter::Int64ColumnWriter(to)) => {
                to.write_batch(values, None, None)?;
                values.clear();
            }
            (Self::Int(values), ColumnWriter::Int32ColumnWriter(to)) => {
                to.write_batch(values, None, None)?;
                values.clear();
            }
            (Self::Flag(values), ColumnWriter::BoolColumnWriter(to)) => {
                to.write_batch(values, None, None)?;
                values.clear();
            }
            (Self::Bytes(values) | Self::Text(values), ColumnWriter::ByteArrayColumnWriter(to)) => {
                to.write_batch(values, None, None)?;
                values.clear();
            }
            (Self::Hash(values) | Self::Decimal(values), ColumnWriter::FixedLenByteArrayColumnWriter(to)) => {
                to.write_batch(values, None, None)?;
                values.clear();
            }
            _ => return Err(ParquetError::General("a column has another type".to_owned())),
        }
        Ok(())
    }
}

/// Rows that are written together.
#[derive(Debug)]
pub(super) struct Group {
    table: &'static Exported,
    columns: Vec<Column>,
    rows: usize,
}

impl Group {
    pub(super) fn new(table: &'static Exported) -> Self {
        Self { table, columns: table.columns.iter().map(|(_, kind)| kind.empty()).collect(), rows: 0 }
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row.
    ///
    /// # Errors
    /// A value does not fit.
    pub(super) fn push(&mut self, row: &Row) -> Result<(), ArchiveError> {
        let columns = self.columns.iter_mut().zip(self.table.columns);
        for (at, (column, (name, _))) in columns.enumerate() {
            column.push(row, at, name)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Writes the rows, and forgets them.
    ///
    /// # Errors
    /// The file rejects them.
    pub(super) fn write<W: Write + Send>(&mut self, to: &mut SerializedFileWriter<W>) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = to.next_row_group()?;
        for column in &mut self.columns {
            let next = group.next_column()?;
            let mut writer = next.ok_or_else(|| ParquetError::General("a column is missing".to_owned()))?;
            column.write(writer.untyped())?;
            writer.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}
