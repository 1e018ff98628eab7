//! Memory of a vector for values with another lifetime, so that a run reuses what an earlier one allocated.

/// The room of a vector, for things that live otherwise. The standard library collects in place when the sizes agree.
pub fn recycled<T, U>(mut used: Vec<T>) -> Vec<U> {
    used.clear();
    used.into_iter().filter_map(|_| None).collect()
}

/// Bytes that a vector has room for.
pub fn room<T>(vector: &Vec<T>) -> usize {
    vector.capacity() * size_of::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recycled_vector_keeps_its_room() {
        let text = String::from("x");
        let used: Vec<&str> = vec![&text; 100];
        let room: Vec<&'static str> = recycled(used);
        assert_eq!((room.len(), room.capacity()), (0, 100));
    }
}
