//! What a number is counted under.

use std::fmt::Debug;

/// Names a number among those of one family.
pub trait Key: Copy {
    /// How many there are.
    const SIZE: usize;

    /// The place of this one among them, from 0.
    fn place(self) -> usize;
}

/// A word of a fixed list.
pub trait Label: Key + Debug + 'static {
    /// The whole list, in the order of the places.
    const ALL: &'static [Self];

    /// The word.
    fn as_str(self) -> &'static str;
}

impl Key for () {
    const SIZE: usize = 1;

    fn place(self) -> usize {
        0
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    const SIZE: usize = A::SIZE * B::SIZE;

    fn place(self) -> usize {
        self.0.place() * B::SIZE + self.1.place()
    }
}

/// A list of words as an enum.
macro_rules! label {
    ($(#[$about:meta])* $name:ident { $($(#[$one:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$one])* $variant,)+ }

        impl $crate::metrics::label::Key for $name {
            const SIZE: usize = <Self as $crate::metrics::label::Label>::ALL.len();

            fn place(self) -> usize {
                self as usize
            }
        }

        impl $crate::metrics::label::Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

pub(super) use label;
